// SPDX-License-Identifier: GPL-3.0-or-later
// Records: read, made, changed, deleted.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <map>

#include "admin/api/call.hpp"
#include "admin/api/problem.hpp"
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

Result<Answer> record_answer(store::Transaction& transaction, const model::Record& record, int status = 200) {
  auto object = json_of(transaction, record);
  if (!object) return fail(std::move(object.error()));
  Answer answer = json_answer(*object, status);
  answer.header.emplace_back("ETag", etag_of(record.version));
  return answer;
}

/// The record with this external id, if `query` wants it.
Result<Answer> list_one(store::Transaction& transaction, const std::string& external,
                        const store::RecordQuery& query) {
  auto record = store::find_record_by_external_id(transaction, external);
  if (!record) return fail(std::move(record.error()));
  json::array items;
  const bool fits = *record && (query.deleted_too || !(*record)->deleted) &&
                    (!query.kind || (*record)->kind == *query.kind) &&
                    (!query.owner || (*record)->owner == *query.owner);
  if (fits) {
    auto object = json_of(transaction, **record);
    if (!object) return fail(std::move(object.error()));
    items.push_back(std::move(*object));
  }
  return page_answer(std::move(items), std::nullopt);
}

Result<Answer> list(Call& call) {
  auto after = call.numbered_position();
  if (!after) return fail(std::move(after.error()));
  store::RecordQuery query{.after = *after};
  if (const auto kind = call.text("kind")) query.kind = model::parse_record_kind(*kind);
  if (const auto owner = call.text("owner")) query.owner = text::to_lower_ascii(*owner);
  query.deleted_too = call.flag("deleted");
  if (!call.sees_all()) {
    if (query.owner && *query.owner != call.token().owner) return page_answer({}, std::nullopt);
    query.owner = call.token().owner;
  }
  if (const auto external = call.text("externalId")) {
    return call.store().read<Answer>([&](store::Transaction& transaction) -> Result<Answer> {
      return list_one(transaction, *external, query);
    });
  }
  return call.store().read<Answer>([&](store::Transaction& transaction) -> Result<Answer> {
    std::map<store::MailboxId, std::string> addresses;
    json::array items;
    std::size_t octets = 0;
    bool is_full = false, is_end = false;
    while (!is_full && !is_end) {
      query.most = std::min(listed_at_once, call.limit() - static_cast<int>(items.size()));
      auto records = store::list_records(transaction, query);
      if (!records) return fail(std::move(records.error()));
      is_end = static_cast<int>(records->size()) < query.most;
      for (const model::Record& record : *records) {
        auto object = service::record_to_json(transaction, record, addresses);
        if (!object) return fail(std::move(object.error()));
        octets += service::octets_of(*object);
        is_full = octets > service::record_page_octets && !items.empty();
        if (is_full) break;
        items.push_back(std::move(*object));
        query.after = record.id;
      }
      is_full = is_full || static_cast<int>(items.size()) == call.limit();
    }
    return page_answer(std::move(items),
                       is_full ? std::optional(call.cursor(std::to_string(query.after))) : std::nullopt);
  });
}

Result<Answer> show(Call& call) {
  auto id = call.id();
  if (!id) return fail(std::move(id.error()));
  return call.store().read<Answer>([&](store::Transaction& transaction) -> Result<Answer> {
    auto record = store::find_record(transaction, *id, true);
    if (!record) return fail(std::move(record.error()));
    if (!*record || !call.sees((*record)->owner)) return no_record(call.path("id"));
    return record_answer(transaction, **record);
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
