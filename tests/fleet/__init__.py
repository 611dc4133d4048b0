"""The collection for Ansible."""
