// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Records as the token may see them.
#include <map>
#include <optional>
#include <string>

#include "admin/api/call.hpp"
#include "service/organisation/record_access.hpp"

namespace syncline::admin::api {

struct VisibleRecords {
  std::optional<store::Reader> reader = std::nullopt;  ///< nullopt: the token sees all

  /// Deleted ones too. Nullopt: there is none, or the token may not see it.
  Result<std::optional<model::Record>> find(store::Transaction& transaction, model::RecordId id) const;
  /// Of a record as the token sees it. `addresses`: of mailboxes, looked up once.
  Result<boost::json::object> json_of(store::Transaction& transaction, const model::Record& record,
                                      std::map<store::MailboxId, std::string>& addresses) const;
};
Result<VisibleRecords> visible_records(store::Transaction& transaction, const Call& call);

}  // namespace syncline::admin::api
