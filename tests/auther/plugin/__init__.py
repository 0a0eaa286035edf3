"""The better-auth plugin for imported passwords, in a real better-auth over HTTP."""
