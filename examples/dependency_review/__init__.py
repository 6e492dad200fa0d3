"""The installed packages of a project are inspected, reviewed by people, and reported."""
