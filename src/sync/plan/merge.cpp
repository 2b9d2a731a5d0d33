// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/plan/merge.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <set>
#include <span>

#include "base/text.hpp"
#include "sync/plan/body_text.hpp"

namespace syncline::sync::plan {
namespace {

namespace json = boost::json;
using model::ConflictWinner;
using model::Direction;
using model::FieldInfo;
using model::Fields;
using model::FieldType;
using model::FieldValue;
using model::RecordKind;

const FieldValue nothing = nullptr;

const FieldValue& value_of(const Fields& fields, std::string_view name) {
  const FieldValue* value = fields.if_contains(name);
  return value == nullptr ? nothing : *value;
}

/// Fields that make sense only together.
constexpr std::string_view appointment_times[] = {"start",         "end",         "isAllDayEvent",
                                                  "startTimeZone", "endTimeZone", "recurrence"};
constexpr std::string_view task_progress[] = {"status", "percentComplete", "completeDate"};

std::span<const std::string_view> group_of(RecordKind kind, std::string_view field) {
  const auto has = [&](std::span<const std::string_view> group) {
    return std::find(group.begin(), group.end(), field) != group.end();
  };
  if (kind == RecordKind::appointment && has(appointment_times)) return appointment_times;
  if (kind == RecordKind::task && has(task_progress)) return task_progress;
  return {};
}

/// A plain copy of a formatted body says the same.
bool same(const FieldInfo& field, const FieldValue& a, const FieldValue& b) {
  if (model::same_value(field, a, b)) return true;
  if (field.type != FieldType::body || !a.is_object() || !b.is_object()) return false;
  return a.get_object().at("type") != b.get_object().at("type") && words_of_body(a) == words_of_body(b);
}

bool is_dictionary(FieldType type) {
  return type == FieldType::entries || type == FieldType::addresses;
}
bool is_set(FieldType type) {
  return type == FieldType::words || type == FieldType::attendees || type == FieldType::instants ||
         type == FieldType::people;
}

bool contains(const FieldInfo& field, const json::array& set, const FieldValue& element) {
  const json::array one{element};
  return std::any_of(set.begin(), set.end(), [&](const FieldValue& candidate) {
    return model::same_value(field, json::array{candidate}, one);
  });
}

json::array elements(const FieldValue& value) {
  const json::array* array = value.if_array();
  return array == nullptr ? json::array{} : *array;
}

/// What the other side has, with this side's additions and removals since the base.
json::array merged_set(const FieldInfo& field, const json::array& base, const json::array& mine,
                       const json::array& theirs) {
  json::array merged;
  for (const FieldValue& element : theirs)
    if (contains(field, mine, element) || !contains(field, base, element)) merged.push_back(element);
  for (const FieldValue& element : mine)
    if (!contains(field, base, element) && !contains(field, merged, element)) merged.push_back(element);
  return merged;
}

std::string original_start(const FieldValue& occurrence) {
  const json::object* object = occurrence.if_object();
  const FieldValue* start = object == nullptr ? nullptr : object->if_contains("originalStart");
  return start != nullptr && start->is_string() ? std::string(start->get_string()) : std::string();
}

const FieldValue& occurrence_at(const json::array& all, std::string_view start) {
  for (const FieldValue& occurrence : all)
    if (original_start(occurrence) == start) return occurrence;
  return nothing;
}

class Merger {
 public:
  Merger(const MergeInput& input, const model::Policies& policies) : in_(input), policies_(policies) {}

  Merge run() {
    for (const FieldInfo& field : model::fields_of(in_.kind)) {
      const auto group = group_of(in_.kind, field.name);
      if (!group.empty()) {
        if (group.front() == field.name) decide_group(group);
        continue;
      }
      const Direction direction = policies_.direction_of(in_.kind, field);
      if (direction == Direction::none) continue;
      if (direction == Direction::both && is_dictionary(field.type))
        decide_dictionary(field);
      else if (direction == Direction::both && is_set(field.type))
        decide_set(field);
      else if (direction == Direction::both && field.type == FieldType::occurrences)
        decide_occurrences(field);
      else
        decide(field, direction);
    }
    return std::move(out_);
  }

 private:
  /// What the record would say if the item's value came in; a base that knows the field and an item that does
  /// not: cleared.
  bool remote_changed(const FieldInfo& field) const {
    const FieldValue* remote = in_.remote.if_contains(field.name);
    if (remote == nullptr && !in_.base.contains(field.name)) return false;
    return !model::same_value(field, value_of(in_.base, field.name), remote == nullptr ? nothing : *remote);
  }
  /// An absent field of a record is unknown, which is no change.
  bool record_changed(const FieldInfo& field) const {
    const FieldValue* record = in_.record.if_contains(field.name);
    return record != nullptr && !same(field, value_of(in_.base, field.name), *record);
  }

  void agree(std::string_view name, const FieldValue& value) { out_.base[name] = value; }
  void keep_base(std::string_view name) {
    if (const FieldValue* value = in_.base.if_contains(name)) out_.base[name] = *value;
  }
  /// The item's value goes into the record, unless it is there.
  void take(const FieldInfo& field) {
    const FieldValue& remote = value_of(in_.remote, field.name);
    agree(field.name, remote);
    if (!model::same_value(field, value_of(in_.record, field.name), remote))
      out_.to_record[field.name] = remote;
  }
  /// The record's value goes into the item, unless it is there. Until it is written, both agree on what the
  /// item has.
  void give(const FieldInfo& field) {
    const FieldValue& record = value_of(in_.record, field.name);
    const FieldValue& remote = value_of(in_.remote, field.name);
    if (in_.remote.contains(field.name)) agree(field.name, remote);
    if (!same(field, remote, record)) out_.to_remote[field.name] = record;
  }
  void leave(const FieldInfo& field) {
    if (in_.remote.contains(field.name)) agree(field.name, value_of(in_.remote, field.name));
  }

  bool record_is_newer() const {
    return in_.record_changed_at && in_.remote_changed_at && *in_.record_changed_at > *in_.remote_changed_at;
  }
  /// nullopt: a person decides.
  std::optional<bool> record_wins(std::string_view field) const {
    switch (policies_.winner_of(in_.kind, field)) {
      case ConflictWinner::exchange:
        return false;
      case ConflictWinner::record:
        return true;
      case ConflictWinner::newest:
        return record_is_newer();
      case ConflictWinner::ask:
        return std::nullopt;
    }
    return false;
  }
  void note_conflict(std::string name, const FieldValue& record, const FieldValue& remote,
                     std::optional<bool> won) {
    std::string_view field = name;
    field = field.substr(0, field.find('.'));
    const ConflictWinner winner = policies_.winner_of(in_.kind, field);
    out_.conflicts.push_back({.field = std::move(name),
                              .record = record,
                              .remote = remote,
                              .winner = winner,
                              .record_won = won.value_or(false)});
  }

  void decide(const FieldInfo& field, Direction direction) {
    const bool from_remote = direction != Direction::to_exchange && remote_changed(field);
    const bool from_record = direction != Direction::to_record && record_changed(field);
    if (from_remote && from_record) {
      if (same(field, value_of(in_.record, field.name), value_of(in_.remote, field.name))) {
        agree(field.name, value_of(in_.remote, field.name));
        return;
      }
      const std::optional<bool> won = record_wins(field.name);
      note_conflict(std::string(field.name), value_of(in_.record, field.name),
                    value_of(in_.remote, field.name), won);
      if (!won)
        keep_base(field.name);
      else if (*won)
        give(field);
      else
        take(field);
      return;
    }
    if (from_remote && !plain_copy_of_ours(field)) return take(field);
    if (from_record) return give(field);
    leave(field);
  }

  /// The server hands back our formatted body as plain text: nothing to take.
  bool plain_copy_of_ours(const FieldInfo& field) const {
    if (field.type != FieldType::body) return false;
    const FieldValue& record = value_of(in_.record, field.name);
    const FieldValue& remote = value_of(in_.remote, field.name);
    return record.is_object() && remote.is_object() && record.get_object().at("type") == "html" &&
           remote.get_object().at("type") == "text" && same(field, record, remote);
  }

  void decide_group(std::span<const std::string_view> group) {
    bool from_remote = false;
    bool from_record = false;
    bool differ = false;
    for (const std::string_view name : group) {
      const FieldInfo& field = *model::find_field(in_.kind, name);
      const Direction direction = policies_.direction_of(in_.kind, field);
      if (direction == Direction::both || direction == Direction::to_record)
        from_remote |= remote_changed(field);
      if (direction == Direction::both || direction == Direction::to_exchange)
        from_record |= record_changed(field);
      const FieldValue* record = in_.record.if_contains(name);
      differ |= record != nullptr && !same(field, *record, value_of(in_.remote, name));
    }
    std::optional<bool> record_leads = from_record && !from_remote;
    if (from_remote && from_record && differ) {
      record_leads = record_wins(group.front());
      json::object ours;
      json::object theirs;
      for (const std::string_view name : group) {
        ours[name] = value_of(in_.record, name);
        theirs[name] = value_of(in_.remote, name);
      }
      note_conflict(std::string(group.front()), ours, theirs, record_leads);
    }
    for (const std::string_view name : group) {
      const FieldInfo& field = *model::find_field(in_.kind, name);
      if (!record_leads)
        keep_base(name);
      else if (*record_leads)
        give_member(field);
      else if (from_remote && !(from_record && !differ))
        take(field);
      else
        leave(field);
    }
    // The server takes a time only whole: start, end and both zones together (invariant 13).
    const bool writes =
        std::any_of(group.begin(), group.end(), [&](auto name) { return out_.to_remote.contains(name); });
    if (!writes) return;
    for (const std::string_view name : group)
      if (in_.record.contains(name)) out_.to_remote[name] = value_of(in_.record, name);
  }
  void give_member(const FieldInfo& field) {
    if (in_.record.contains(field.name))
      give(field);
    else
      leave(field);
  }

  void decide_set(const FieldInfo& field) {
    if (!in_.record.contains(field.name) && !remote_changed(field)) return leave(field);
    const json::array base = elements(value_of(in_.base, field.name));
    const json::array remote = elements(value_of(in_.remote, field.name));
    const json::array record =
        in_.record.contains(field.name) ? elements(value_of(in_.record, field.name)) : base;
    const json::array merged = merged_set(field, base, record, remote);
    if (in_.remote.contains(field.name) || in_.base.contains(field.name)) agree(field.name, remote);
    // Attendees' answers come from the server with the set unchanged.
    if (!model::same_value(field, merged, record) ||
        (field.type == FieldType::attendees && merged != record && remote_changed_within(field)))
      out_.to_record[field.name] = merged;
    if (!model::same_value(field, merged, remote)) out_.to_remote[field.name] = merged;
  }
  bool remote_changed_within(const FieldInfo& field) const {
    return value_of(in_.base, field.name) != value_of(in_.remote, field.name);
  }

  void decide_dictionary(const FieldInfo& field) {
    const auto object_of = [&](const Fields& fields) {
      const json::object* object = value_of(fields, field.name).if_object();
      return object == nullptr ? json::object{} : *object;
    };
    const json::object base = object_of(in_.base);
    const json::object remote = object_of(in_.remote);
    const json::object record = object_of(in_.record);
    const FieldInfo entry{.name = field.name,
                          .type = field.type == FieldType::addresses ? FieldType::entries : FieldType::text};
    std::set<std::string> keys;
    for (const json::object* side : {&base, &remote, &record})
      for (const auto& member : *side) keys.insert(member.key());
    json::object to_record;
    json::object to_remote;
    for (const std::string& key : keys) {
      const FieldValue& base_value = value_of(base, key);
      const FieldValue& remote_value = value_of(remote, key);
      const FieldValue& record_value = value_of(record, key);
      const bool from_remote = !model::same_value(entry, base_value, remote_value);
      const bool from_record = record.contains(key) && !model::same_value(entry, base_value, record_value);
      bool record_leads = from_record;
      if (from_remote && from_record) {
        if (model::same_value(entry, remote_value, record_value)) continue;
        const std::optional<bool> won = record_wins(field.name);
        note_conflict(std::string(field.name) + "." + key, record_value, remote_value, won);
        if (!won) continue;
        record_leads = *won;
      }
      if (record_leads)
        to_remote[key] = record_value;
      else if (from_remote && !model::same_value(entry, record_value, remote_value))
        to_record[key] = remote_value;
    }
    if (in_.remote.contains(field.name) || in_.base.contains(field.name))
      agree(field.name, asked_kept(base, remote, field));
    if (!to_record.empty()) out_.to_record[field.name] = to_record;
    if (!to_remote.empty()) out_.to_remote[field.name] = to_remote;
  }
  /// The item's entries, but for those a person has yet to decide on.
  json::object asked_kept(const json::object& base, json::object remote, const FieldInfo& field) const {
    for (const FieldConflict& conflict : out_.conflicts) {
      if (conflict.winner != ConflictWinner::ask ||
          !conflict.field.starts_with(std::string(field.name) + "."))
        continue;
      const std::string key = conflict.field.substr(field.name.size() + 1);
      if (const FieldValue* before = base.if_contains(key))
        remote[key] = *before;
      else
        remote.erase(key);
    }
    return remote;
  }

  /// Exceptions of a series are patches; each is merged as a whole by the day it stands for.
  void decide_occurrences(const FieldInfo& field) {
    if (!in_.record.contains(field.name) && !remote_changed(field)) return leave(field);
    const json::array base = elements(value_of(in_.base, field.name));
    const json::array remote = elements(value_of(in_.remote, field.name));
    const json::array record =
        in_.record.contains(field.name) ? elements(value_of(in_.record, field.name)) : base;
    std::set<std::string> starts;
    for (const json::array* side : {&base, &remote, &record})
      for (const FieldValue& occurrence : *side) starts.insert(original_start(occurrence));
    json::array merged;
    const auto equal = [&](const FieldValue& a, const FieldValue& b) {
      if (a.is_null() || b.is_null()) return a.is_null() && b.is_null();
      return model::same_value(field, json::array{a}, json::array{b});
    };
    for (const std::string& start : starts) {
      const FieldValue& base_value = occurrence_at(base, start);
      const FieldValue& remote_value = occurrence_at(remote, start);
      const FieldValue& record_value = occurrence_at(record, start);
      const bool from_remote = !equal(base_value, remote_value);
      const bool from_record = !equal(base_value, record_value);
      bool record_leads = from_record;
      if (from_remote && from_record && !equal(remote_value, record_value)) {
        const std::optional<bool> won = record_wins(field.name);
        note_conflict(std::string(field.name) + "." + start, record_value, remote_value, won);
        record_leads = won.value_or(false);
      }
      const FieldValue& chosen = record_leads ? record_value : remote_value;
      if (!chosen.is_null()) merged.push_back(chosen);
    }
    if (in_.remote.contains(field.name) || in_.base.contains(field.name)) agree(field.name, remote);
    if (!model::same_value(field, merged, record)) out_.to_record[field.name] = merged;
    if (!model::same_value(field, merged, remote)) out_.to_remote[field.name] = merged;
  }

  const MergeInput& in_;
  const model::Policies& policies_;
  Merge out_;
};

}  // namespace

bool Merge::asks() const {
  return std::any_of(conflicts.begin(), conflicts.end(),
                     [](const FieldConflict& conflict) { return conflict.winner == ConflictWinner::ask; });
}

Merge merge(const MergeInput& input, const model::Policies& policies) {
  return Merger(input, policies).run();
}

Fields for_record(RecordKind kind, const Fields& remote, const model::Policies& policies) {
  Fields chosen;
  for (const FieldInfo& field : model::fields_of(kind)) {
    const Direction direction = policies.direction_of(kind, field);
    if (direction != Direction::both && direction != Direction::to_record) continue;
    if (const FieldValue* value = remote.if_contains(field.name)) chosen[field.name] = *value;
  }
  return chosen;
}

Fields for_remote(RecordKind kind, const Fields& record, const model::Policies& policies) {
  Fields chosen;
  for (const FieldInfo& field : model::fields_of(kind)) {
    const Direction direction = policies.direction_of(kind, field);
    if (direction != Direction::both && direction != Direction::to_exchange) continue;
    const FieldValue* value = record.if_contains(field.name);
    if (value != nullptr && !value->is_null()) chosen[field.name] = *value;
  }
  return chosen;
}

Fields patched(RecordKind kind, Fields fields, const Fields& changes) {
  for (const auto& [name, value] : changes) {
    const FieldInfo* field = model::find_field(kind, name);
    json::object* dictionary = nullptr;
    if (field != nullptr && is_dictionary(field->type) && value.is_object())
      if (FieldValue* present = fields.if_contains(name)) dictionary = present->if_object();
    if (dictionary == nullptr) {
      fields[name] = value;
      continue;
    }
    for (const auto& [key, entry] : value.get_object()) (*dictionary)[key] = entry;
  }
  return fields;
}

}  // namespace syncline::sync::plan
