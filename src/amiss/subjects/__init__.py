"""What a subject (a user, an address) usually does, in tables of bounded size. Pure."""
