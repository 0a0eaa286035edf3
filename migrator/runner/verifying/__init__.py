"""Verifying a deployment with the conformance suite: its scene, its people, its record."""
