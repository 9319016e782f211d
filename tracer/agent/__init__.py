"""Agents at work: episodes of shell commands and edits in a sandbox, recorded as traces."""
