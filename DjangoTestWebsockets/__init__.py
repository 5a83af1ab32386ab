"""The Django project that every cell serves."""
