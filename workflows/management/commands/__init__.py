"""`manage.py workflow` and `manage.py reference`."""
