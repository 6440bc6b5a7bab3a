"""Kedro datasets nobody else has; catalogs name them by module, so that none is imported before it is used."""
