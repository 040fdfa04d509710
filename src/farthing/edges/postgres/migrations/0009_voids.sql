-- A void keeps why.
ALTER TABLE document_voids ADD COLUMN reason text NOT NULL;
GRANT INSERT ON document_voids TO farthing_service;
