SELECT customer, position, at[[properties]] FROM ([[effective]]) AS effective ORDER BY position
