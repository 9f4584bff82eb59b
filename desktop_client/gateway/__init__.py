"""The only HTTP of the client: one class per part of the server's hall API, contracts in, contracts out."""
