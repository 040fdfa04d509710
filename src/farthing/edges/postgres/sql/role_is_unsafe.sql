-- Whether the role that this session works as could get round row-level security: as superuser, by its attribute, or as an owner.
SELECT r.rolsuper OR r.rolbypassrls
    OR EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = 'farthing'::regnamespace AND c.relkind = 'r' AND pg_has_role(r.oid, c.relowner, 'USAGE'))
FROM pg_roles r WHERE r.rolname = current_user
