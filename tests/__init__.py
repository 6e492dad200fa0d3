"""Tests of Celeriac."""
