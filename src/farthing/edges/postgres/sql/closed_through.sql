SELECT closed_through FROM books WHERE seller_entity = 'default'
