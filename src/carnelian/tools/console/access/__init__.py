"""Who may come in: requests that are trusted, logins and sessions of browsers."""
