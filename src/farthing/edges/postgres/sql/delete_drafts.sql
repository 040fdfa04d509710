DELETE FROM drafts WHERE contract = %(contract)s
