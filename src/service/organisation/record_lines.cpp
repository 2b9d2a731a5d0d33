// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/organisation/record_lines.hpp"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include "base/text.hpp"
#include "model/field_catalogue.hpp"
#include "store/configuration.hpp"
#include "time/recurrence_text.hpp"
#include "time/zone_names.hpp"

namespace syncline::service {
namespace {

namespace json = boost::json;
using model::RecordKind;

unexpected<Error> bad_line(std::string reason) {
  return fail(ErrorDomain::input, "bad-line", std::move(reason));
}

Result<json::object> parse_object(std::string_view line) {
  if (line.size() > record_line_limit_octets)
    return bad_line(fmt::format("the line has more than {} octets", record_line_limit_octets));
  json::error_code error;
  json::parse_options options;
  options.max_depth = 32;
  json::value value = json::parse(line, error, {}, options);
  if (error) return fail(ErrorDomain::input, "bad-json", fmt::format("not valid JSON: {}", error.message()));
  if (!value.is_object()) return bad_line("an object is expected");
  return std::move(value.get_object());
}

Result<std::string> text_member(std::string_view name, const json::value& value, std::size_t limit) {
  const auto* text = value.if_string();
  if (text == nullptr || text->empty() || text->size() > limit) {
    return bad_line(fmt::format("{} must be a text of 1 to {} octets", name, limit));
  }
  if (text::escape_for_display(*text) != std::string_view(*text))
    return bad_line(fmt::format("{} holds control characters", name));
  return std::string(*text);
}

Result<std::int64_t> number_member(std::string_view name, const json::value& value) {
  const auto* text = value.if_string();
  const auto number = text != nullptr    ? text::parse_int(*text)
                      : value.is_int64() ? std::optional(value.get_int64())
                                         : std::nullopt;
  if (!number || *number < 1) return bad_line(fmt::format("{} must be a positive whole number", name));
  return *number;
}

Result<json::object> canonical_fields(RecordKind kind, const json::object& given) {
  json::object fields;
  for (const auto& [name, value] : given) {
    auto read = canonical_field(kind, std::string_view(name), value);
    if (!read) return fail(std::move(read.error()));
    fields.emplace(name, std::move(*read));
  }
  return fields;
}

Result<RecordLine> read_line(std::string_view line, bool adding) {
  auto object = parse_object(line);
  if (!object) return fail(std::move(object.error()));
  RecordLine read;
  for (const auto& [key, value] : *object) {
    const std::string_view name(key);
    if (name == "fields") {
      if (!value.is_object()) return bad_line("fields must be an object");
      read.fields = value.get_object();
    } else if (name == "owner") {
      auto owner = text_member(name, value, 320);
      if (!owner) return fail(std::move(owner.error()));
      read.owner = text::to_lower_ascii(*owner);
    } else if (name == "kind") {
      const auto* text = value.if_string();
      read.kind = text != nullptr ? model::parse_record_kind(std::string_view(*text)) : std::nullopt;
      if (!read.kind) return bad_line("kind must be email, appointment, contact or task");
    } else if (name == "externalId") {
      if (value.is_null()) continue;
      auto external = text_member(name, value, 1024);
      if (!external) return fail(std::move(external.error()));
      read.external_id = std::move(*external);
    } else if (name == "id" || name == "version") {
      if (adding) return bad_line(fmt::format("{} is given by the store; update changes a record", name));
      auto number = number_member(name, value);
      if (!number) return fail(std::move(number.error()));
      (name == "id" ? read.id : read.version) = *number;
    } else if (name == "deleted") {
      if (!value.is_bool()) return bad_line("deleted must be true or false");
      read.deleted = value.get_bool();
    } else if (name == "links") {
      // A line that `list` printed may come back; links are the engine's.
      if (adding) return bad_line("links are made by the engine");
    } else {
      return bad_line(fmt::format("unknown member \"{}\"", text::escape_for_display(name)));
    }
  }
  return read;
}

bool is_date(const json::value* value) {
  return value != nullptr && value->is_string() && value->get_string().size() == 10;
}
bool is_given(const json::value* value) {
  return value != nullptr && !value->is_null();
}

/// What single fields cannot say.
Result<void> check_together(RecordKind kind, const json::object& fields) {
  if (kind != RecordKind::appointment) return {};
  const auto* start = fields.if_contains("start");
  const auto* end = fields.if_contains("end");
  const auto* all_day = fields.if_contains("isAllDayEvent");
  const bool dates = all_day != nullptr && all_day->is_bool() && all_day->get_bool();
  const auto bad = [](std::string why) { return fail(ErrorDomain::input, "bad-value", std::move(why)); };
  if ((is_given(start) && is_date(start) != dates) || (is_given(end) && is_date(end) != dates)) {
    return bad(
        dates ? "start and end of an all-day event must be dates"
              : "start and end must be instants, \"2026-11-22T10:00:00Z\", unless isAllDayEvent is true");
  }
  // The one shape of both sorts as time does.
  if (is_given(start) && is_given(end) && start->is_string() && end->is_string() &&
      (end->get_string() < start->get_string() || (dates && end->get_string() == start->get_string()))) {
    return bad(dates ? "end must be after start: it is exclusive" : "end must not be before start");
  }
  if (is_given(fields.if_contains("recurrence")) && !is_given(start)) return bad("a series needs a start");
  return {};
}

/// Files that the fields name must be there; their sizes are what they are.
Result<void> find_contents(const store::ContentStore& contents, json::object& fields) {
  const auto find = [&](std::string_view field, json::value& described) -> Result<void> {
    json::object* const file = described.if_object();
    const std::string_view sha256 = file == nullptr ? std::string_view() : model::text_of(*file, "sha256");
    if (sha256.empty()) return {};
    auto content = contents.open_content(sha256);
    if (!content && content.error().code == "no-content")
      return fail(ErrorDomain::input, "no-content",
                  fmt::format("{}: there is no content {}; bring the file in first, with `content put`",
                              field, sha256));
    if (!content) return fail(std::move(content.error()));
    (*file)["size"] = content->size();
    return {};
  };
  if (json::value* const photo = fields.if_contains("photo"))
    if (auto found = find("photo", *photo); !found) return found;
  if (json::value* const list = fields.if_contains("attachments"); list != nullptr && list->is_array())
    for (json::value& one : list->get_array())
      if (auto found = find("attachments", one); !found) return found;
  return {};
}

/// What was given over what there is; whether anything is different.
bool overlay(model::Record& record, const RecordLine& line) {
  bool changed = false;
  for (const auto& [name, value] : line.fields) {
    const auto* before = record.fields.if_contains(name);
    if (before != nullptr && *before == value) continue;
    record.fields[name] = value;
    changed = true;
  }
  if (line.owner && *line.owner != record.owner) {
    record.owner = *line.owner;
    changed = true;
  }
  if (line.deleted && *line.deleted != record.deleted) {
    record.deleted = *line.deleted;
    changed = true;
  }
  return changed;
}

Result<RecordChange> write_over(store::Transaction& transaction, model::Record record,
                                const RecordLine& line) {
  const bool changed = overlay(record, line);
  if (auto good = check_together(record.kind, record.fields); !good) return fail(std::move(good.error()));
  if (!changed) return RecordChange{RecordChange::What::unchanged, std::move(record)};
  auto updated = store::update_record(transaction, std::move(record));
  if (!updated) return fail(std::move(updated.error()));
  return RecordChange{updated->deleted ? RecordChange::What::deleted : RecordChange::What::updated,
                      std::move(*updated)};
}

unexpected<Error> no_record(model::RecordId id) {
  return fail(ErrorDomain::input, "no-record", fmt::format("there is no record {}", id));
}

unexpected<Error> stale(const model::Record& record, std::int64_t version) {
  return fail(ErrorDomain::local, "stale-version",
              fmt::format("record {} has version {}, not {}", record.id, record.version, version));
}

}  // namespace

Result<model::FieldValue> canonical_field(RecordKind kind, std::string_view name, const json::value& value) {
  const model::FieldInfo* field = model::find_field(kind, name);
  if (field == nullptr) {
    return fail(ErrorDomain::input, "unknown-field",
                fmt::format("{} has no field {}", model::to_string(kind), text::escape_for_display(name)));
  }
  if (value.is_null()) return json::value(nullptr);
  const auto named = [&](Error error) {
    return fail(ErrorDomain::input, std::move(error.code), fmt::format("{}: {}", name, error.message));
  };
  if (field->type == model::FieldType::recurrence) {
    auto read = time::read_recurrence_json(value);
    if (!read) return named(std::move(read.error()));
    if (!read->range) return fail(ErrorDomain::input, "bad-value", fmt::format("{} needs a range", name));
    return model::canonical(*field, time::recurrence_to_json({read->pattern, *read->range}));
  }
  if (field->type == model::FieldType::zone) {
    const auto* object = value.if_object();
    const auto* id = object != nullptr ? object->if_contains("id") : nullptr;
    if (id == nullptr || !id->is_string())
      return fail(ErrorDomain::input, "bad-value", fmt::format("{} must be {{\"id\":…}}", name));
    if (object->if_contains("definition") == nullptr &&
        !time::match_name(std::string_view(id->get_string())).found()) {
      return fail(ErrorDomain::input, "bad-value",
                  fmt::format("{}: \"{}\" is no time zone of Windows or IANA", name,
                              text::escape_for_display(id->get_string())));
    }
  }
  return model::canonical(*field, value);
}

Result<RecordLine> read_add_line(std::string_view line) {
  auto read = read_line(line, true);
  if (!read) return read;
  if (!read->kind) return bad_line("kind is missing");
  auto fields = canonical_fields(*read->kind, read->fields);
  if (!fields) return fail(std::move(fields.error()));
  read->fields = std::move(*fields);
  return read;
}

Result<RecordLine> read_update_line(std::string_view line) {
  auto read = read_line(line, false);
  if (!read) return read;
  if (!read->id) return bad_line("id is missing");
  if (!read->version) return bad_line("version is missing");
  return read;
}

std::string_view to_string(RecordChange::What what) noexcept {
  switch (what) {
    case RecordChange::What::added:
      return "added";
    case RecordChange::What::updated:
      return "updated";
    case RecordChange::What::unchanged:
      return "unchanged";
    case RecordChange::What::deleted:
      return "deleted";
  }
  return {};
}

Result<RecordChange> add_record(store::Transaction& transaction, const store::ContentStore& contents,
                                const RecordLine& given) {
  RecordLine line = given;
  if (auto there = find_contents(contents, line.fields); !there) return fail(std::move(there.error()));
  if (line.external_id) {
    auto known = store::find_record_by_external_id(transaction, *line.external_id);
    if (!known) return fail(std::move(known.error()));
    if (*known) {
      if ((*known)->kind != *line.kind) {
        return fail(
            ErrorDomain::input, "other-kind",
            fmt::format("externalId {} is that of a record of kind {}",
                        text::escape_for_display(*line.external_id), model::to_string((*known)->kind)));
      }
      RecordLine update = line;
      if (!update.deleted) update.deleted = false;
      return write_over(transaction, std::move(**known), update);
    }
  }
  model::Record record;
  record.kind = *line.kind;
  record.external_id = line.external_id;
  (void)overlay(record, line);
  if (auto good = check_together(record.kind, record.fields); !good) return fail(std::move(good.error()));
  auto inserted = store::insert_record(transaction, std::move(record));
  if (!inserted) return fail(std::move(inserted.error()));
  return RecordChange{RecordChange::What::added, std::move(*inserted)};
}

Result<RecordChange> update_record(store::Transaction& transaction, const store::ContentStore& contents,
                                   const RecordLine& line) {
  auto known = store::find_record(transaction, *line.id, true);
  if (!known) return fail(std::move(known.error()));
  if (!*known) return no_record(*line.id);
  model::Record& record = **known;
  if (record.version != *line.version) return stale(record, *line.version);
  if (line.kind && *line.kind != record.kind)
    return fail(ErrorDomain::input, "other-kind",
                fmt::format("record {} is of kind {}", record.id, model::to_string(record.kind)));
  if (line.external_id && line.external_id != record.external_id)
    return bad_line("the externalId of a record cannot be changed");
  RecordLine checked = line;
  auto fields = canonical_fields(record.kind, line.fields);
  if (!fields) return fail(std::move(fields.error()));
  checked.fields = std::move(*fields);
  if (auto there = find_contents(contents, checked.fields); !there) return fail(std::move(there.error()));
  return write_over(transaction, std::move(record), checked);
}

Result<RecordChange> delete_record(store::Transaction& transaction, model::RecordId id,
                                   std::optional<std::int64_t> version) {
  auto known = store::find_record(transaction, id, true);
  if (!known) return fail(std::move(known.error()));
  if (!*known) return no_record(id);
  if (version && (*known)->version != *version) return stale(**known, *version);
  RecordLine line;
  line.deleted = true;
  return write_over(transaction, std::move(**known), line);
}

std::optional<model::RecordId> parse_record_id(std::string_view text) noexcept {
  const auto number = text::parse_int(text);
  if (!number || *number < 1) return std::nullopt;
  return *number;
}

json::object record_to_json(const model::Record& record, const std::vector<store::Link>& links,
                            const std::map<store::MailboxId, std::string>& addresses) {
  json::array printed;
  for (const store::Link& link : links) {
    const auto address = addresses.find(link.mailbox);
    printed.push_back(json::object{{"mailbox", address == addresses.end() ? std::string() : address->second},
                                   {"remoteId", link.remote_id},
                                   {"state", store::to_string(link.state)}});
  }
  json::object object{{"id", std::to_string(record.id)}, {"kind", model::to_string(record.kind)},
                      {"externalId", nullptr},           {"owner", record.owner},
                      {"version", record.version},       {"deleted", record.deleted},
                      {"links", std::move(printed)},     {"fields", record.fields}};
  if (record.external_id) object["externalId"] = *record.external_id;
  return object;
}

Result<json::object> record_to_json(store::Transaction& transaction, const model::Record& record,
                                    std::map<store::MailboxId, std::string>& addresses) {
  auto links = store::links_of_record(transaction, record.id);
  if (!links) return fail(std::move(links.error()));
  for (const store::Link& link : *links) {
    if (addresses.contains(link.mailbox)) continue;
    auto row = store::find_mailbox(transaction, link.mailbox);
    if (!row) return fail(std::move(row.error()));
    addresses.emplace(link.mailbox, *row ? (*row)->address : std::string());
  }
  return record_to_json(record, *links, addresses);
}

Result<std::map<store::MailboxId, std::string>> mailbox_addresses(store::Transaction& transaction) {
  auto rows = store::list_mailboxes(transaction);
  if (!rows) return fail(std::move(rows.error()));
  std::map<store::MailboxId, std::string> addresses;
  for (const store::MailboxRow& row : *rows) addresses[row.id] = row.address;
  return addresses;
}

}  // namespace syncline::service
