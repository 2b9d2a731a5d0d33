// SPDX-License-Identifier: GPL-3.0-or-later
// What holds for every merge, over random fields of every kind, type and direction.
#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "sync/plan/body_text.hpp"
#include "sync/plan/merge.hpp"

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

constexpr int rounds = 150;

/// From few values, so that equal ones meet.
class Generator {
 public:
  explicit Generator(std::uint64_t seed) : random_(seed) {}

  bool chance(std::uint64_t one_in) { return random_.below(one_in) == 0; }
  std::uint64_t below(std::uint64_t bound) { return random_.below(bound); }

  FieldValue value(const FieldInfo& field) {
    if (chance(6)) return nullptr;
    using enum FieldType;
    switch (field.type) {
      case text:
        return json::value(word());
      case body: {
        const std::string words = word() + " " + word();
        return chance(2) ? json::object{{"type", "html"}, {"value", "<p><b>" + words + "</b></p>"}}
                         : json::object{{"type", "text"}, {"value", words + "\n"}};
      }
      case boolean:
        return chance(2);
      case integer:
        return static_cast<std::int64_t>(below(3));
      case number:
        return 50.0 * static_cast<double>(below(3));
      case instant:
        return json::value(day() + "T10:00:00Z");
      case date:
        return json::value(day());
      case time_or_date:
        return json::value(chance(3) ? day() : day() + "T10:00:00Z");
      case choice:
        return json::value(field.choices[below(field.choices.size())]);
      case words:
        return several([&] { return json::value(word()); });
      case person:
        return one_person();
      case people:
        return several([&] { return one_person(); });
      case attendees:
        return several([&]() -> FieldValue {
          json::object attendee{{"mailbox", one_person()}};
          if (chance(2)) attendee["responseType"] = chance(2) ? "Accept" : "Decline";
          return attendee;
        });
      case entries:
        return dictionary(field, [&] { return json::value(word()); });
      case addresses:
        return dictionary(field, [&]() -> FieldValue { return json::object{{"city", word()}}; });
      case recurrence:
        return json::object{{"pattern", {{"type", "daily"}, {"interval", below(3)}}},
                            {"range", {{"type", "noEnd"}}}};
      case zone:
        return json::object{{"id", word()}};
      case occurrences:
        return several([&]() -> FieldValue {
          json::object one{{"originalStart", day()}};
          if (chance(2)) one["subject"] = word();
          if (chance(3)) one["location"] = nullptr;
          return one;
        });
      case instants:
        return several([&] { return json::value(day()); });
      case attachments:
        return several([&]() -> FieldValue { return json::object{{"id", word()}}; });
      case photo:
        return json::object{{"sha256", std::string(64, static_cast<char>('a' + below(6)))}};
      case record:
        return json::value(std::to_string(below(3)));
    }
    return nullptr;
  }

  /// A value as the catalogue stores it.
  FieldValue canonical_value(const FieldInfo& field) {
    auto stored = model::canonical(field, value(field));
    EXPECT_TRUE(stored) << field.name << ": " << stored.error().describe();
    return stored ? *stored : FieldValue();
  }

  Fields some_fields(RecordKind kind) {
    Fields fields;
    for (const FieldInfo& field : model::fields_of(kind))
      if (!chance(4)) fields[field.name] = canonical_value(field);
    return fields;
  }
  Fields edited(RecordKind kind, Fields fields) {
    for (const FieldInfo& field : model::fields_of(kind))
      if (chance(3)) fields[field.name] = canonical_value(field);
    return fields;
  }
  /// The record's side may not know a field; the item's side says null for what is empty.
  Fields forgotten(RecordKind kind, Fields fields) {
    for (const FieldInfo& field : model::fields_of(kind))
      if (chance(8)) fields.erase(field.name);
    return fields;
  }
  model::Policies policies(RecordKind kind, ConflictWinner winner) {
    model::Policies made;
    made.conflict.winner = winner;
    constexpr Direction directions[] = {Direction::both, Direction::to_exchange, Direction::to_record,
                                        Direction::none};
    for (const FieldInfo& field : model::fields_of(kind))
      if (field.settable && chance(3))
        made.directions[{kind, std::string(field.name)}] = directions[below(4)];
    return made;
  }

 private:
  std::string word() {
    constexpr const char* words[] = {"ash", "birch", "cedar", "elm"};
    return words[below(4)];
  }
  std::string day() { return "2026-11-2" + std::to_string(below(4)); }
  FieldValue one_person() { return json::object{{"emailAddress", word() + "@example.org"}}; }
  template <class Make>
  FieldValue several(Make make) {
    json::array all;
    for (std::uint64_t left = below(4); left > 0; --left) all.push_back(make());
    return all;
  }
  template <class Make>
  FieldValue dictionary(const FieldInfo& field, Make make) {
    json::object all;
    constexpr std::string_view open_keys[] = {"a", "b", "c"};
    for (int i = 0; i < 3; ++i) {
      const std::string_view key = field.choices.empty() ? open_keys[below(3)] : field.choices[below(3)];
      all[key] = chance(4) ? FieldValue() : make();
    }
    return all;
  }

  SeededRandom random_;
};

FieldValue value_of(const Fields& fields, std::string_view name) {
  const FieldValue* value = fields.if_contains(name);
  return value == nullptr ? FieldValue() : *value;
}

bool says(const FieldInfo& field, const FieldValue& held, const FieldValue& wanted) {
  return model::same_value(field, held, wanted) || is_plain_copy(held, wanted) || is_plain_copy(wanted, held);
}

bool goes_in(Direction direction) {
  return direction == Direction::both || direction == Direction::to_record;
}
bool goes_out(Direction direction) {
  return direction == Direction::both || direction == Direction::to_exchange;
}

std::string told(const Fields& base, const Fields& record, const Fields& remote, const Merge& merge) {
  return "\nbase " + json::serialize(base) + "\nrecord " + json::serialize(record) + "\nremote " +
         json::serialize(remote) + "\nto_record " + json::serialize(merge.to_record) + "\nto_remote " +
         json::serialize(merge.to_remote) + "\nbase after " + json::serialize(merge.base);
}

class EveryMerge : public testing::TestWithParam<RecordKind> {
 protected:
  RecordKind kind() const { return GetParam(); }
};

TEST_P(EveryMerge, Invariant3DoesNothingWhenNothingChanged) {
  for (int seed = 0; seed < rounds; ++seed) {
    Generator generator(static_cast<std::uint64_t>(seed));
    const Fields all = generator.some_fields(kind());
    const Merge result = merge({.kind = kind(), .base = all, .record = all, .remote = all},
                               generator.policies(kind(), ConflictWinner::newest));
    ASSERT_EQ(result.to_record, Fields()) << "seed " << seed << told(all, all, all, result);
    ASSERT_EQ(result.to_remote, Fields()) << "seed " << seed << told(all, all, all, result);
    ASSERT_TRUE(result.conflicts.empty()) << "seed " << seed;
  }
}

TEST_P(EveryMerge, TakesWhatOnlyTheItemChanged) {
  for (int seed = 0; seed < rounds; ++seed) {
    Generator generator(static_cast<std::uint64_t>(seed));
    const model::Policies policies = generator.policies(kind(), ConflictWinner::ask);
    const Fields base = generator.some_fields(kind());
    const Fields remote = generator.edited(kind(), base);
    const Merge result = merge({.kind = kind(), .base = base, .record = base, .remote = remote}, policies);
    ASSERT_EQ(result.to_remote, Fields()) << "seed " << seed << told(base, base, remote, result);
    ASSERT_TRUE(result.conflicts.empty()) << "seed " << seed << told(base, base, remote, result);
    const Fields after = patched(kind(), base, result.to_record);
    for (const FieldInfo& field : model::fields_of(kind())) {
      const Fields& wanted = goes_in(policies.direction_of(kind(), field)) ? remote : base;
      ASSERT_TRUE(says(field, value_of(after, field.name), value_of(wanted, field.name)))
          << "seed " << seed << " " << field.name << told(base, base, remote, result);
    }
  }
}

TEST_P(EveryMerge, GivesWhatOnlyTheRecordChanged) {
  for (int seed = 0; seed < rounds; ++seed) {
    Generator generator(static_cast<std::uint64_t>(seed));
    const model::Policies policies = generator.policies(kind(), ConflictWinner::ask);
    const Fields base = generator.some_fields(kind());
    const Fields record = generator.edited(kind(), base);
    const Merge result = merge({.kind = kind(), .base = base, .record = record, .remote = base}, policies);
    ASSERT_EQ(result.to_record, Fields()) << "seed " << seed << told(base, record, base, result);
    ASSERT_TRUE(result.conflicts.empty()) << "seed " << seed << told(base, record, base, result);
    const Fields after = patched(kind(), base, result.to_remote);
    for (const FieldInfo& field : model::fields_of(kind())) {
      const bool out = goes_out(policies.direction_of(kind(), field));
      // Of a dictionary only the entries that the record names are its to change.
      FieldValue wanted = value_of(base, field.name);
      const FieldValue now = value_of(record, field.name);
      if (out && (field.type == FieldType::entries || field.type == FieldType::addresses) &&
          now.is_object() && wanted.is_object()) {
        for (const auto& [key, entry] : now.get_object()) wanted.get_object()[key] = entry;
      } else if (out) {
        wanted = now;
      }
      ASSERT_TRUE(says(field, value_of(after, field.name), wanted))
          << "seed " << seed << " " << field.name << told(base, record, base, result);
    }
  }
}

constexpr ConflictWinner deciding[] = {ConflictWinner::exchange, ConflictWinner::record,
                                       ConflictWinner::newest};

TEST_P(EveryMerge, Invariant9HasNothingLeftToDoOnceItIsApplied) {
  for (int seed = 0; seed < rounds; ++seed) {
    Generator generator(static_cast<std::uint64_t>(seed));
    const ConflictWinner winner = deciding[seed % 3];
    const model::Policies policies = generator.policies(kind(), winner);
    const Fields base = generator.some_fields(kind());
    const Fields record = generator.forgotten(kind(), generator.edited(kind(), base));
    const Fields remote = generator.edited(kind(), base);
    const SystemTime now{};
    const MergeInput input{.kind = kind(),
                           .base = base,
                           .record = record,
                           .remote = remote,
                           .record_changed_at = now + std::chrono::seconds(generator.below(2)),
                           .remote_changed_at = now};
    const Merge first = merge(input, policies);
    const Fields record_after = patched(kind(), record, first.to_record);
    const Fields remote_after = patched(kind(), remote, first.to_remote);
    const Fields base_after = patched(kind(), first.base, first.to_remote);
    const Merge second =
        merge({.kind = kind(), .base = base_after, .record = record_after, .remote = remote_after}, policies);
    ASSERT_EQ(second.to_record, Fields()) << "seed " << seed << told(base, record, remote, first)
                                          << told(base_after, record_after, remote_after, second);
    ASSERT_EQ(second.to_remote, Fields()) << "seed " << seed << told(base, record, remote, first)
                                          << told(base_after, record_after, remote_after, second);
    ASSERT_TRUE(second.conflicts.empty()) << "seed " << seed << second.conflicts[0].field;
  }
}

TEST_P(EveryMerge, Invariant9HasNothingLeftToDoWhenTheItemIsTheNewBase) {
  for (int seed = 0; seed < rounds; ++seed) {
    Generator generator(static_cast<std::uint64_t>(seed));
    model::Policies policies;
    policies.conflict.winner = deciding[seed % 3];
    const Fields base = generator.some_fields(kind());
    const Fields record = generator.edited(kind(), base);
    Fields remote = generator.edited(kind(), base);
    // What people did to a field that only goes out is theirs: it must not be taken for agreed.
    for (const FieldInfo& field : model::fields_of(kind()))
      if (field.direction == Direction::to_exchange) remote[field.name] = value_of(base, field.name);
    const Merge first = merge({.kind = kind(), .base = base, .record = record, .remote = remote}, policies);
    const Fields record_after = patched(kind(), record, first.to_record);
    const Fields remote_after = patched(kind(), remote, first.to_remote);
    const Merge second = merge(
        {.kind = kind(), .base = remote_after, .record = record_after, .remote = remote_after}, policies);
    ASSERT_EQ(second.to_record, Fields()) << "seed " << seed << told(base, record, remote, first)
                                          << told(remote_after, record_after, remote_after, second);
    ASSERT_EQ(second.to_remote, Fields()) << "seed " << seed << told(base, record, remote, first)
                                          << told(remote_after, record_after, remote_after, second);
  }
}

/// What stands in conflicts for a field, an entry or an occurrence, or in the object of its group.
bool is_journalled(const Merge& merge, const FieldInfo& field, const std::string& part,
                   const FieldValue& lost) {
  const std::string name = std::string(field.name) + part;
  for (const FieldConflict& conflict : merge.conflicts) {
    for (const FieldValue* side : {&conflict.record, &conflict.remote}) {
      if (conflict.field == name && *side == lost) return true;
      if (const json::object* group = side->if_object())
        if (const FieldValue* member = group->if_contains(field.name); member != nullptr && *member == lost)
          return true;
    }
  }
  return false;
}

TEST_P(EveryMerge, Invariant9LosesNoEditThatIsNotInTheJournal) {
  std::size_t lost_edits = 0;
  for (int seed = 0; seed < rounds; ++seed) {
    Generator generator(static_cast<std::uint64_t>(seed));
    constexpr ConflictWinner winners[] = {ConflictWinner::exchange, ConflictWinner::record,
                                          ConflictWinner::newest, ConflictWinner::ask};
    const model::Policies policies = generator.policies(kind(), winners[seed % 4]);
    const Fields base = generator.some_fields(kind());
    const Fields record = generator.forgotten(kind(), generator.edited(kind(), base));
    const Fields remote = generator.edited(kind(), base);
    const Merge result = merge({.kind = kind(), .base = base, .record = record, .remote = remote}, policies);
    const Fields record_after = patched(kind(), record, result.to_record);
    const Fields remote_after = patched(kind(), remote, result.to_remote);

    const auto check = [&](const FieldInfo& field, const FieldInfo& type, const std::string& part,
                           const FieldValue& before, const FieldValue& edit, const FieldValue& in_record,
                           const FieldValue& in_remote) {
      if (model::same_value(type, edit, nullptr) || says(type, before, edit)) return;
      if (says(type, in_record, edit) || says(type, in_remote, edit)) return;
      ++lost_edits;
      EXPECT_TRUE(is_journalled(result, field, part, edit))
          << "seed " << seed << " " << field.name << part << " " << json::serialize(edit)
          << told(base, record, remote, result);
    };
    for (const FieldInfo& field : model::fields_of(kind())) {
      const bool by_element = policies.direction_of(kind(), field) == Direction::both &&
                              (field.type == FieldType::words || field.type == FieldType::instants ||
                               field.type == FieldType::attendees || field.type == FieldType::people);
      for (const Fields* side : {&record, &remote}) {
        const FieldValue edit = value_of(*side, field.name);
        const FieldValue before = value_of(base, field.name);
        const FieldValue in_record = value_of(record_after, field.name);
        const FieldValue in_remote = value_of(remote_after, field.name);
        if (field.type == FieldType::entries || field.type == FieldType::addresses) {
          if (!edit.is_object()) continue;
          const FieldInfo entry{
              .name = field.name,
              .type = field.type == FieldType::addresses ? FieldType::entries : FieldType::text};
          const auto at = [](const FieldValue& all, std::string_view key) {
            return all.is_object() ? value_of(all.get_object(), key) : FieldValue();
          };
          for (const auto& [key, value] : edit.get_object())
            check(field, entry, "." + std::string(key), at(before, key), value, at(in_record, key),
                  at(in_remote, key));
        } else if (by_element || field.type == FieldType::occurrences) {
          const auto at = [&](const FieldValue& all, const std::string& key) {
            if (all.is_array())
              for (const FieldValue& element : all.get_array())
                if (model::element_key(field, element) == key) return FieldValue(json::array{element});
            return FieldValue();
          };
          if (!edit.is_array()) continue;
          for (const FieldValue& element : edit.get_array()) {
            const std::string key = model::element_key(field, element);
            const FieldValue one = json::array{element};
            if (model::same_value(field, at(before, key), one) ||
                model::same_value(field, at(in_record, key), one) ||
                model::same_value(field, at(in_remote, key), one))
              continue;
            ++lost_edits;
            EXPECT_TRUE(is_journalled(result, field, "." + key, element))
                << "seed " << seed << " " << field.name << " " << json::serialize(element)
                << told(base, record, remote, result);
          }
        } else {
          check(field, field, "", before, edit, in_record, in_remote);
        }
      }
      if (HasFailure()) return;
    }
  }
  EXPECT_GT(lost_edits, 0U) << "the generator makes no conflicts: this test would see nothing";
}

INSTANTIATE_TEST_SUITE_P(Kinds, EveryMerge, testing::ValuesIn(model::record_kinds),
                         [](const auto& one) { return std::string(to_string(one.param)); });

}  // namespace
}  // namespace syncline::sync::plan
