"""Reads an application's source code for what the plan must know; runs none of it."""
