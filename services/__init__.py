"""What every process of Fanscribe shares: the model, storage, signing, the queue and the client."""
