// SPDX-License-Identifier: GPL-3.0-or-later
#include "admin/api/visible_records.hpp"

namespace syncline::admin::api {

Result<std::optional<model::Record>> VisibleRecords::find(store::Transaction& transaction,
                                                          model::RecordId id) const {
  auto record = store::find_record(transaction, id, true);
  if (!record || !*record || !reader) return record;
  return service::as_seen_by(transaction, *reader, std::move(**record));
}

Result<boost::json::object> VisibleRecords::json_of(
    store::Transaction& transaction, const model::Record& record,
    std::map<store::MailboxId, std::string>& addresses) const {
  return reader ? service::record_to_json(transaction, record, *reader)
                : service::record_to_json(transaction, record, addresses);
}

Result<VisibleRecords> visible_records(store::Transaction& transaction, const Call& call) {
  if (call.sees_all()) return VisibleRecords{};
  auto reader = service::reader_of(transaction, call.token().owner);
  if (!reader) return fail(std::move(reader.error()));
  return VisibleRecords{std::move(*reader)};
}

}  // namespace syncline::admin::api
