"""gcelib: the Google Compute Engine v1 API, carried out on your own clouds through Apache Libcloud."""

__version__ = "0.1.0"
