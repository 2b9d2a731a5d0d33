// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/plan/merge.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <map>
#include <set>
#include <span>
#include <utility>

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
  return model::same_value(field, a, b) ||
         (field.type == FieldType::body && (is_plain_copy(a, b) || is_plain_copy(b, a)));
}

bool is_dictionary(FieldType type) {
  return type == FieldType::entries || type == FieldType::addresses;
}
bool is_set(FieldType type) {
  return type == FieldType::words || type == FieldType::attendees || type == FieldType::instants ||
         type == FieldType::people || type == FieldType::attachments;
}

json::array elements(const FieldValue& value) {
  const json::array* array = value.if_array();
  return array == nullptr ? json::array{} : *array;
}

std::set<std::string> keys_of(const FieldInfo& field, const json::array& set) {
  std::set<std::string> keys;
  for (const FieldValue& element : set) keys.insert(model::element_key(field, element));
  return keys;
}

/// What the other side has, with this side's additions and removals since the base.
json::array merged_set(const FieldInfo& field, const json::array& base, const json::array& mine,
                       const json::array& theirs) {
  const std::set<std::string> before = keys_of(field, base);
  const std::set<std::string> kept = keys_of(field, mine);
  std::set<std::string> taken;
  json::array merged;
  const auto add = [&](const FieldValue& element, const std::string& key) {
    if (taken.insert(key).second) merged.push_back(element);
  };
  for (const FieldValue& element : theirs) {
    const std::string key = model::element_key(field, element);
    if (kept.contains(key) || !before.contains(key)) add(element, key);
  }
  for (const FieldValue& element : mine) {
    const std::string key = model::element_key(field, element);
    if (!before.contains(key)) add(element, key);
  }
  return merged;
}

/// Exceptions of a series by their original start.
using Occurrences = std::map<std::string, const FieldValue*>;
Occurrences by_start(const FieldInfo& field, const json::array& all) {
  Occurrences found;
  for (const FieldValue& occurrence : all) found.emplace(model::element_key(field, occurrence), &occurrence);
  return found;
}
const FieldValue& occurrence_at(const Occurrences& all, const std::string& start) {
  const auto found = all.find(start);
  return found == all.end() ? nothing : *found->second;
}

/// What is large is read apart, or not at all: that it is absent says nothing, null does.
bool is_read_apart(RecordKind kind, std::string_view field) {
  if (kind == RecordKind::contact) return field == "photo";
  return kind == RecordKind::email && (field == "body" || field == "mime" || field == "attachments");
}

/// Whether an entry of a dictionary is synchronised.
bool is_in_scope(const FieldInfo& field, std::string_view key, const model::SyncPolicy& policy) {
  return field.type != FieldType::addresses || policy.three_addresses || key == "Business";
}

bool goes_in(Direction direction) {
  return direction == Direction::both || direction == Direction::to_record;
}
bool goes_out(Direction direction) {
  return direction == Direction::both || direction == Direction::to_exchange;
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
      const Direction direction = direction_of(field);
      if (direction == Direction::none) continue;
      if (is_dictionary(field.type))
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
  Direction direction_of(const FieldInfo& field) const { return policies_.direction_of(in_.kind, field); }
  /// Whether the item says anything of the field, now or when both sides agreed.
  bool remote_knows(const FieldInfo& field) const {
    if (in_.remote.contains(field.name)) return true;
    return in_.base.contains(field.name) && !is_read_apart(in_.kind, field.name);
  }
  /// A base that knows the field and an item that does not: cleared. A plain copy of our formatted body is no
  /// change; a formatted body in place of a plain one is.
  bool remote_changed(const FieldInfo& field) const {
    if (!remote_knows(field)) return false;
    const FieldValue& base = value_of(in_.base, field.name);
    const FieldValue& remote = value_of(in_.remote, field.name);
    if (model::same_value(field, base, remote)) return false;
    return field.type != FieldType::body || !is_plain_copy(remote, base);
  }
  /// An absent field of a record is unknown, which is no change.
  bool record_changed(const FieldInfo& field) const {
    const FieldValue* record = in_.record.if_contains(field.name);
    return record != nullptr && !same(field, value_of(in_.base, field.name), *record);
  }
  bool both_say_the_same(const FieldInfo& field) const {
    return same(field, value_of(in_.record, field.name), value_of(in_.remote, field.name));
  }

  void agree(std::string_view name, const FieldValue& value) { out_.base[name] = value; }
  void keep_base(std::string_view name) {
    if (const FieldValue* value = in_.base.if_contains(name)) out_.base[name] = *value;
  }
  /// The item's value goes into the record, unless it is there.
  void take(const FieldInfo& field) {
    // Of a group, what only the record knows of loses with the rest of it.
    if (!remote_knows(field) && !record_changed(field)) return keep_base(field.name);
    const FieldValue& remote = value_of(in_.remote, field.name);
    agree(field.name, remote);
    if (!model::same_value(field, value_of(in_.record, field.name), remote))
      out_.to_record[field.name] = remote;
  }
  /// The record's value goes into the item, unless it is there. Until it is written, both agree on what the
  /// item has; of a field that only goes out, on what was last given.
  void give(const FieldInfo& field) {
    if (!in_.record.contains(field.name)) return leave(field);
    const FieldValue& record = value_of(in_.record, field.name);
    const bool is_there = both_say_the_same(field);
    if (goes_in(direction_of(field)) || is_there)
      leave(field);
    else
      keep_base(field.name);
    if (!is_there) out_.to_remote[field.name] = record;
  }
  /// Nothing is to be done about what the item has. What people do to a field that only goes out stays theirs
  /// until the record changes it: else a reminder that somebody dismissed would come back.
  void leave(const FieldInfo& field) {
    const FieldValue& base = value_of(in_.base, field.name);
    const FieldValue& remote = value_of(in_.remote, field.name);
    const bool only_out = !goes_in(direction_of(field)) && !both_say_the_same(field);
    const bool is_poorer = field.type == FieldType::body && is_plain_copy(remote, base);
    if (!in_.remote.contains(field.name) || only_out || is_poorer)
      keep_base(field.name);
    else
      agree(field.name, remote);
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
                     ConflictWinner winner, std::optional<bool> won) {
    out_.conflicts.push_back({.field = std::move(name),
                              .record = record,
                              .remote = remote,
                              .winner = winner,
                              .record_won = won.value_or(false)});
  }

  void decide(const FieldInfo& field, Direction direction) {
    const bool remote_differs = remote_changed(field);
    const bool record_differs = record_changed(field);
    const bool from_remote = goes_in(direction) && remote_differs;
    const bool from_record = goes_out(direction) && record_differs;
    if (!from_remote && !from_record) return leave(field);
    std::optional<bool> record_leads = from_record;
    // The direction decides where it can; what is lost by it stands in the journal all the same.
    ConflictWinner winner = from_record ? ConflictWinner::record : ConflictWinner::exchange;
    if (remote_differs && record_differs) {
      if (both_say_the_same(field)) return agree_on_remote(field);
      if (from_remote && from_record) {
        winner = policies_.winner_of(in_.kind, field.name);
        record_leads = record_wins(field.name);
      }
      note_conflict(std::string(field.name), value_of(in_.record, field.name),
                    value_of(in_.remote, field.name), winner, record_leads);
    }
    if (!record_leads)
      keep_base(field.name);
    else if (*record_leads)
      give(field);
    else
      take(field);
  }
  void agree_on_remote(const FieldInfo& field) {
    const FieldValue& record = value_of(in_.record, field.name);
    const FieldValue& remote = value_of(in_.remote, field.name);
    const bool richer_record = field.type == FieldType::body && is_plain_copy(remote, record);
    const bool richer_remote = field.type == FieldType::body && is_plain_copy(record, remote);
    agree(field.name, richer_record ? record : remote);
    if (richer_remote && goes_in(direction_of(field))) out_.to_record[field.name] = remote;
  }

  void decide_group(std::span<const std::string_view> group) {
    bool from_remote = false;
    bool from_record = false;
    bool differ = false;
    std::vector<const FieldInfo*> members;
    for (const std::string_view name : group) {
      const FieldInfo& field = *model::find_field(in_.kind, name);
      const Direction direction = direction_of(field);
      if (direction != Direction::both) {
        if (direction != Direction::none) decide(field, direction);
        continue;
      }
      members.push_back(&field);
      from_remote |= remote_changed(field);
      from_record |= record_changed(field);
      differ |= in_.record.contains(name) && !both_say_the_same(field);
    }
    std::optional<bool> record_leads = from_record;
    if (from_remote && from_record && differ) {
      record_leads = record_wins(group.front());
      json::object ours;
      json::object theirs;
      for (const FieldInfo* field : members) {
        ours[field->name] = value_of(in_.record, field->name);
        theirs[field->name] = value_of(in_.remote, field->name);
      }
      note_conflict(std::string(group.front()), ours, theirs, policies_.winner_of(in_.kind, group.front()),
                    record_leads);
    }
    for (const FieldInfo* field : members) {
      if (!record_leads)
        keep_base(field->name);
      else if (*record_leads)
        give(*field);
      else if (from_remote)
        take(*field);
      else
        leave(*field);
    }
    if (in_.kind == RecordKind::appointment) complete_times();
  }
  /// The server takes a time only whole (invariant 13). Zones and recurrence are left out unless they
  /// changed: the first stay byte for byte, writing the second makes the server forget its exceptions.
  void complete_times() {
    constexpr std::string_view whole[] = {"start", "end"};
    if (std::none_of(std::begin(appointment_times), std::end(appointment_times),
                     [&](std::string_view name) { return out_.to_remote.contains(name); }))
      return;
    for (const std::string_view name : whole)
      if (const FieldValue* value = in_.record.if_contains(name); value != nullptr && !value->is_null())
        out_.to_remote[name] = *value;
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
    json::object record = object_of(in_.record);
    // A dictionary that is known to be empty has no entry of those that others know.
    if (in_.record.contains(field.name) && value_of(in_.record, field.name).is_null())
      for (const json::object* side : {&base, &remote})
        for (const auto& member : *side) record[member.key()] = nullptr;
    const FieldInfo entry{.name = field.name,
                          .type = field.type == FieldType::addresses ? FieldType::entries : FieldType::text};
    std::set<std::string> keys;
    for (const json::object* side : std::initializer_list<const json::object*>{&base, &remote, &record})
      for (const auto& member : *side)
        if (is_in_scope(field, member.key(), policies_.sync)) keys.insert(member.key());
    json::object agreed = remote;
    const Direction direction = direction_of(field);
    json::object to_record;
    json::object to_remote;
    for (const std::string& key : keys) {
      const FieldValue& base_value = value_of(base, key);
      const FieldValue& remote_value = value_of(remote, key);
      const FieldValue& record_value = value_of(record, key);
      const auto equal = [&](const FieldValue& a, const FieldValue& b) {
        return model::same_value(entry, a, b);
      };
      const bool is_there = equal(remote_value, record_value);
      const bool remote_differs = !equal(base_value, remote_value);
      const bool record_differs = record.contains(key) && !equal(base_value, record_value);
      const bool from_remote = remote_differs && goes_in(direction);
      const bool from_record = record_differs && goes_out(direction);
      std::optional<bool> record_leads = from_record;
      if (remote_differs && record_differs && !is_there && (from_remote || from_record)) {
        ConflictWinner winner = from_record ? ConflictWinner::record : ConflictWinner::exchange;
        if (from_remote && from_record) {
          winner = policies_.winner_of(in_.kind, field.name);
          record_leads = record_wins(field.name);
        }
        note_conflict(std::string(field.name) + "." + key, record_value, remote_value, winner, record_leads);
      }
      // As with whole fields: see keep_base() and leave().
      if (!record_leads || (!goes_in(direction) && !is_there)) put_back(agreed, base, key);
      if (is_there || !record_leads) continue;
      if (*record_leads)
        to_remote[key] = record_value;
      else if (from_remote)
        to_record[key] = remote_value;
    }
    if (in_.remote.contains(field.name) || in_.base.contains(field.name)) agree(field.name, agreed);
    if (!to_record.empty()) out_.to_record[field.name] = to_record;
    if (!to_remote.empty()) out_.to_remote[field.name] = to_remote;
  }
  static void put_back(json::object& agreed, const json::object& base, const std::string& key) {
    if (const FieldValue* before = base.if_contains(key))
      agreed[key] = *before;
    else
      agreed.erase(key);
  }

  /// Exceptions of a series are patches; each is merged as a whole by the day it stands for.
  void decide_occurrences(const FieldInfo& field) {
    if (!in_.record.contains(field.name) && !remote_changed(field)) return leave(field);
    const json::array base = elements(value_of(in_.base, field.name));
    const json::array remote = elements(value_of(in_.remote, field.name));
    const json::array record =
        in_.record.contains(field.name) ? elements(value_of(in_.record, field.name)) : base;
    const Occurrences base_at = by_start(field, base);
    const Occurrences remote_at = by_start(field, remote);
    const Occurrences record_at = by_start(field, record);
    std::set<std::string> starts;
    for (const Occurrences* side : {&base_at, &remote_at, &record_at})
      for (const auto& [start, occurrence] : *side) starts.insert(start);
    const auto equal = [&](const FieldValue& a, const FieldValue& b) {
      if (a.is_null() || b.is_null()) return a.is_null() && b.is_null();
      return model::same_value(field, json::array{a}, json::array{b});
    };
    json::array for_record;
    json::array for_remote;
    json::array agreed;
    const auto add = [](json::array& all, const FieldValue& occurrence) {
      if (!occurrence.is_null()) all.push_back(occurrence);
    };
    for (const std::string& start : starts) {
      const FieldValue& base_value = occurrence_at(base_at, start);
      const FieldValue& remote_value = occurrence_at(remote_at, start);
      const FieldValue& record_value = occurrence_at(record_at, start);
      const bool from_remote = !equal(base_value, remote_value);
      const bool from_record = !equal(base_value, record_value);
      bool record_leads = from_record;
      if (from_remote && from_record && !equal(remote_value, record_value)) {
        const std::optional<bool> won = record_wins(field.name);
        note_conflict(std::string(field.name) + "." + start, record_value, remote_value,
                      policies_.winner_of(in_.kind, field.name), won);
        if (!won) {
          add(for_record, record_value);
          add(for_remote, remote_value);
          add(agreed, base_value);
          continue;
        }
        record_leads = *won;
      }
      const FieldValue& chosen = record_leads ? record_value : remote_value;
      add(for_record, chosen);
      add(for_remote, chosen);
      add(agreed, remote_value);
    }
    if (in_.remote.contains(field.name) || in_.base.contains(field.name)) agree(field.name, agreed);
    if (!model::same_value(field, for_record, record)) out_.to_record[field.name] = for_record;
    if (!model::same_value(field, for_remote, remote)) out_.to_remote[field.name] = for_remote;
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

namespace {

/// Without the entries that are not synchronised.
FieldValue in_scope(const FieldInfo& field, const FieldValue& value, const model::SyncPolicy& policy) {
  const json::object* dictionary = is_dictionary(field.type) ? value.if_object() : nullptr;
  if (dictionary == nullptr) return value;
  json::object chosen;
  for (const auto& [key, entry] : *dictionary)
    if (is_in_scope(field, key, policy)) chosen[key] = entry;
  return chosen;
}

}  // namespace

Fields for_record(RecordKind kind, const Fields& remote, const model::Policies& policies) {
  Fields chosen;
  for (const FieldInfo& field : model::fields_of(kind))
    if (const FieldValue* value = remote.if_contains(field.name);
        value != nullptr && goes_in(policies.direction_of(kind, field)))
      chosen[field.name] = in_scope(field, *value, policies.sync);
  return chosen;
}

Fields for_remote(RecordKind kind, const Fields& record, const model::Policies& policies) {
  Fields chosen;
  for (const FieldInfo& field : model::fields_of(kind))
    if (const FieldValue* value = record.if_contains(field.name);
        value != nullptr && !value->is_null() && goes_out(policies.direction_of(kind, field)))
      chosen[field.name] = in_scope(field, *value, policies.sync);
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
