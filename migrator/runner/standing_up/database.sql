-- name: account_indexes
SELECT count(*)
FROM pragma_index_list('account') AS i JOIN pragma_index_info(i.name) AS c ON c.seqno = 0
WHERE c.name = 'user_id' AND i.partial = 0
