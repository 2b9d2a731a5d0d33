// SPDX-License-Identifier: GPL-3.0-or-later
// Records: read, made, changed, deleted.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <map>

#include "admin/api/call.hpp"
#include "admin/api/problem.hpp"
#include "admin/api/visible_records.hpp"
#include "base/text.hpp"
#include "service/organisation/record_lines.hpp"
#include "service/views/json_octets.hpp"

namespace syncline::admin::api {
namespace {

namespace json = boost::json;

/// Read at a time: one may be as large as a whole page.
constexpr int listed_at_once = 4;

unexpected<Error> no_record(std::string_view id) {
  return fail(ErrorDomain::input, "no-record",
              fmt::format("There is no record {}", text::escape_for_display(id)));
}

Result<json::object> json_of(store::Transaction& transaction, const model::Record& record) {
  std::map<store::MailboxId, std::string> addresses;
  return service::record_to_json(transaction, record, addresses);
}

Answer record_answer(const model::Record& record, const json::object& object, int status = 200) {
  Answer answer = json_answer(object, status);
  answer.header.emplace_back("ETag", etag_of(record.version));
  return answer;
}
Result<Answer> record_answer(store::Transaction& transaction, const model::Record& record, int status = 200) {
  auto object = json_of(transaction, record);
  if (!object) return fail(std::move(object.error()));
  return record_answer(record, *object, status);
}

/// The record with this external id, if `query` wants it.
Result<Answer> list_one(store::Transaction& transaction, const VisibleRecords& visible,
                        const std::string& external, const store::RecordQuery& query) {
  auto record = store::find_record_by_external_id(transaction, external);
  if (!record) return fail(std::move(record.error()));
  json::array items;
  const bool fits = *record && (query.deleted_too || !(*record)->deleted) &&
                    (!query.kind || (*record)->kind == *query.kind) &&
                    (!query.owner || (*record)->owner == *query.owner);
  if (!fits) return page_answer(std::move(items), std::nullopt);
  auto seen = visible.find(transaction, (*record)->id);
  if (!seen) return fail(std::move(seen.error()));
  if (*seen) {
    std::map<store::MailboxId, std::string> addresses;
    auto object = visible.json_of(transaction, **seen, addresses);
    if (!object) return fail(std::move(object.error()));
    items.push_back(std::move(*object));
  }
  return page_answer(std::move(items), std::nullopt);
}

/// The records of a page, some at a time: what the query wants, in the order of their ids.
class PageOfRecords {
 public:
  PageOfRecords(store::Transaction& transaction, const VisibleRecords& visible, store::RecordQuery query)
      : transaction_(transaction), visible_(visible), query_(std::move(query)), left_(query_.most) {}

  /// The next ones; none: that was all.
  Result<std::vector<model::Record>> next() {
    return visible_.reader && !query_.owner ? next_readable() : next_listed();
  }

 private:
  Result<std::vector<model::Record>> next_listed() {
    query_.most = std::min(listed_at_once, left_);
    auto records = store::list_records(transaction_, query_);
    if (!records) return records;
    left_ -= static_cast<int>(records->size());
    if (!records->empty()) query_.after = records->back().id;
    return records;
  }
  /// The ids of a whole page are looked for once.
  Result<std::vector<model::Record>> next_readable() {
    if (!ids_) {
      auto ids = store::list_readable(transaction_, *visible_.reader, query_.kind, query_.deleted_too,
                                      query_.after, query_.most);
      if (!ids) return fail(std::move(ids.error()));
      ids_ = std::move(*ids);
    }
    std::vector<model::Record> records;
    for (; next_ < ids_->size() && records.empty(); ++next_) {
      auto record = visible_.find(transaction_, (*ids_)[next_]);
      if (!record) return fail(std::move(record.error()));
      if (*record) records.push_back(std::move(**record));
    }
    return records;
  }

  store::Transaction& transaction_;
  const VisibleRecords& visible_;
  store::RecordQuery query_;
  int left_;
  std::optional<std::vector<model::RecordId>> ids_ = std::nullopt;
  std::size_t next_ = 0;
};

Result<Answer> list(Call& call) {
  auto after = call.numbered_position();
  if (!after) return fail(std::move(after.error()));
  store::RecordQuery query{.after = *after};
  if (const auto kind = call.text("kind")) query.kind = model::parse_record_kind(*kind);
  if (const auto owner = call.text("owner")) query.owner = text::to_lower_ascii(*owner);
  query.deleted_too = call.flag("deleted");
  // Whose somebody else's record is, is not told.
  if (!call.sees_all() && query.owner && *query.owner != call.token().owner)
    return page_answer({}, std::nullopt);
  query.most = call.limit();
  return call.store().read<Answer>([&](store::Transaction& transaction) -> Result<Answer> {
    auto visible = visible_records(transaction, call);
    if (!visible) return fail(std::move(visible.error()));
    if (const auto external = call.text("externalId"))
      return list_one(transaction, *visible, *external, query);
    PageOfRecords page(transaction, *visible, query);
    std::map<store::MailboxId, std::string> addresses;
    json::array items;
    model::RecordId last = 0;
    std::size_t octets = 0;
    bool is_full = false;
    while (!is_full) {
      auto records = page.next();
      if (!records) return fail(std::move(records.error()));
      if (records->empty()) break;
      for (const model::Record& record : *records) {
        auto object = visible->json_of(transaction, record, addresses);
        if (!object) return fail(std::move(object.error()));
        octets += service::octets_of(*object);
        is_full = octets > service::record_page_octets && !items.empty();
        if (is_full) break;
        items.push_back(std::move(*object));
        last = record.id;
      }
      is_full = is_full || static_cast<int>(items.size()) == call.limit();
    }
    return page_answer(std::move(items),
                       is_full ? std::optional(call.cursor(std::to_string(last))) : std::nullopt);
  });
}

Result<Answer> show(Call& call) {
  auto id = call.id();
  if (!id) return fail(std::move(id.error()));
  return call.store().read<Answer>([&](store::Transaction& transaction) -> Result<Answer> {
    auto visible = visible_records(transaction, call);
    if (!visible) return fail(std::move(visible.error()));
    auto record = visible->find(transaction, *id);
    if (!record) return fail(std::move(record.error()));
    if (!*record) return no_record(call.path("id"));
    std::map<store::MailboxId, std::string> addresses;
    auto object = visible->json_of(transaction, **record, addresses);
    if (!object) return fail(std::move(object.error()));
    return record_answer(**record, *object);
  });
}

Result<Answer> add(Call& call) {
  auto line = service::read_add_line(call.body());
  if (!line) return fail(std::move(line.error()));
  auto contents = call.organisation().content();
  if (!contents) return fail(std::move(contents.error()));
  return call.store().write<Answer>([&](store::Transaction& transaction) -> Result<Answer> {
    auto change = service::add_record(transaction, **contents, *line);
    if (!change) return fail(std::move(change.error()));
    const bool is_new = change->what == service::RecordChange::What::added;
    auto answer = record_answer(transaction, change->record, is_new ? 201 : 200);
    if (!answer) return answer;
    answer->header.emplace_back("Location", fmt::format("/api/v1/records/{}", change->record.id));
    if (auto kept = call.remember(transaction, *answer); !kept) return fail(std::move(kept.error()));
    return answer;
  });
}

/// 412 with the record as it is.
Result<Answer> stale(store::Transaction& transaction, const model::Record& record, const Error& error) {
  auto current = record_answer(transaction, record, 412);
  if (!current) return current;
  auto object = json_of(transaction, record);
  if (!object) return fail(std::move(object.error()));
  current->content_type = problem_type;
  current->body = problem_json(412, error.code, error.message, {{"current", std::move(*object)}});
  return current;
}

/// `change` of the record that the path names, once If-Match agreed.
template <class Change>
Result<Answer> change_matching(Call& call, const Change& change) {
  auto id = call.id();
  if (!id) return fail(std::move(id.error()));
  return call.store().write<Answer>([&](store::Transaction& transaction) -> Result<Answer> {
    auto record = store::find_record(transaction, *id, true);
    if (!record) return fail(std::move(record.error()));
    if (!*record) return no_record(call.path("id"));
    if (auto same = call.check_match(etag_of((*record)->version)); !same)
      return stale(transaction, **record, same.error());
    auto changed = change(transaction, **record);
    if (!changed) return fail(std::move(changed.error()));
    return record_answer(transaction, changed->record);
  });
}

Result<Answer> update(Call& call) {
  auto patch = call.object({"owner", "deleted", "fields"});
  if (!patch) return fail(std::move(patch.error()));
  auto contents = call.organisation().content();
  if (!contents) return fail(std::move(contents.error()));
  return change_matching(call, [&](store::Transaction& transaction, const model::Record& record) {
    json::object line = *patch;
    line["id"] = std::to_string(record.id);
    line["version"] = record.version;
    auto read = service::read_update_line(json::serialize(line));
    if (!read) return Result<service::RecordChange>(fail(std::move(read.error())));
    return service::update_record(transaction, **contents, *read);
  });
}

Result<Answer> remove(Call& call) {
  return change_matching(call, [&](store::Transaction& transaction, const model::Record& record) {
    return service::delete_record(transaction, record.id, record.version);
  });
}

}  // namespace

void add_record_routes(std::vector<Route>& routes) {
  constexpr Roles lookers =
      applications | only(store::ApiRole::read_only) | only(store::ApiRole::mailbox_owner);
  routes.push_back({.path = "/records",
                    .operation = "listRecords",
                    .roles = lookers,
                    .query = {page_limit(), page_cursor(), kind_parameter(), text_parameter("owner"),
                              text_parameter("externalId"), flag_parameter("deleted")},
                    .handler = list});
  routes.push_back({.method = Method::post,
                    .path = "/records",
                    .operation = "addRecord",
                    .roles = applications,
                    .body = {json_body},
                    .body_octets = service::record_line_limit_octets,
                    .answers = {200, 201},
                    .refusals = {409},
                    .handler = add});
  routes.push_back({.path = "/records/{id}", .operation = "getRecord", .roles = lookers, .handler = show});
  routes.push_back({.method = Method::patch,
                    .path = "/records/{id}",
                    .operation = "changeRecord",
                    .roles = applications,
                    .body = {merge_patch_body, json_body},
                    .body_octets = service::record_line_limit_octets,
                    .refusals = {422},
                    .needs_match = true,
                    .handler = update});
  routes.push_back({.method = Method::remove,
                    .path = "/records/{id}",
                    .operation = "deleteRecord",
                    .roles = applications,
                    .needs_match = true,
                    .handler = remove});
}

}  // namespace syncline::admin::api
