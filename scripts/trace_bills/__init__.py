"""Bills a cluster's trace for its whole span: charged, audited, compared and exported."""
