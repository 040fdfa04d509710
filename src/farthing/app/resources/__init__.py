"""Resources: what the API keeps and shows, one registry for all kinds, and the verbs that every kind shares."""
