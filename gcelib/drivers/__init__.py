"""Clouds: the only place that knows libcloud, and the only place that knows a provider's words."""
