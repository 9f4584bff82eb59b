"""From a document to paper: a form (data) lays it out, an encoder turns the paper into printer bytes or a PDF."""
