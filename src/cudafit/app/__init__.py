"""What each verb does: a typed request in, a result out. The command line, notebooks and other programs stand on it."""
