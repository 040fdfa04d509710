-- Events that count and that nothing bills: no meter in a contract of their customer takes them at their time.
WITH billed AS (
    SELECT DISTINCT coalesce(d.customer, c.customer) AS customer, m.event_name,
           coalesce(d.active_start, c.active_start) AS active_start, coalesce(d.active_end, c.active_end) AS active_end
    FROM contracts c
    LEFT JOIN LATERAL (SELECT * FROM contract_declarations WHERE contract = c.id ORDER BY revision DESC LIMIT 1) d ON true
    JOIN contract_versions v ON v.account = c.account AND v.mode = c.mode AND v.contract = c.id
    CROSS JOIN LATERAL jsonb_array_elements(v.agreement -> 'items') AS item
    JOIN meters m ON m.account = c.account AND m.mode = c.mode AND m.id = item ->> 'meter'
), taken AS (
    SELECT DISTINCT event_name FROM meters
)
SELECT CASE WHEN c.id IS NULL THEN 'customer_unknown' WHEN taken.event_name IS NULL THEN 'meter_unknown' ELSE 'contract_missing' END AS reason,
       e.event_name, e.customer, count(*), min(e.at), max(e.at)
FROM ([[effective]]) AS e
LEFT JOIN customers c ON c.id = e.customer
LEFT JOIN taken ON taken.event_name = e.event_name
WHERE NOT EXISTS (
    SELECT FROM billed b
    WHERE b.customer = e.customer AND b.event_name = e.event_name AND e.at >= b.active_start AND e.at < b.active_end)
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
