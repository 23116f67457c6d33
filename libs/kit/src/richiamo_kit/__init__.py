"""Which machinery do all services share? The log, views, messages, logging and life cycle, without domain words."""
