// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/rules/proposal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "base/text.hpp"

namespace syncline::rules {
namespace {

std::uint64_t hash_of(std::string_view text) {
  // 0 stands for "not named".
  return std::max<std::uint64_t>(1, std::hash<std::string_view>{}(text));
}

std::uint64_t address_of(const FieldValues& values) {
  return hash_of(text::to_lower_ascii(values.text(Field::mbx_address)));
}

std::uint64_t profile_of(const FieldValues& values) {
  return values.is_empty(Field::prof_name) ? 0 : hash_of(values.text(Field::prof_name));
}

struct ByAddress {
  template <class A, class B>
  bool operator()(const A& a, const B& b) const {
    return key(a) < key(b);
  }
  static std::uint64_t key(std::uint64_t address) { return address; }
  template <class Entry>
  static std::uint64_t key(const Entry& entry) {
    return entry.address;
  }
};

struct ByProfile {
  template <class A, class B>
  bool operator()(const A& a, const B& b) const {
    return key(a) < key(b);
  }
  static std::uint64_t key(std::uint64_t profile) { return profile; }
  template <class Entry>
  static std::uint64_t key(const Entry& entry) {
    return entry.profile;
  }
};

}  // namespace

void Proposal::add(const Assignment& row) {
  const FieldValues& values = row.values;
  const std::uint64_t profile = profile_of(values);
  if (values.is_empty(Field::mbx_address)) {
    // Mailboxes without an address cannot be told apart from each other: each is one of its profile's.
    if (profile != 0) attached_.push_back({profile, ++without_address_});
  } else {
    mailboxes_.push_back({address_of(values), profile, values.word(Field::mbx_kind)});
    if (profile != 0) attached_.push_back({profile, mailboxes_.back().address});
  }
  if (values.is(Field::mbx_kind, Word::user)) {
    if (values.is(Field::req_act, Word::sss)) ++act_by_server_;
    if (values.is(Field::req_act, Word::outlook)) ++act_by_outlook_;
  }
}

void Proposal::close() {
  std::sort(mailboxes_.begin(), mailboxes_.end(), ByAddress{});
  std::sort(attached_.begin(), attached_.end());
  attached_.erase(std::unique(attached_.begin(), attached_.end()), attached_.end());
}

Word Proposal::duplicate(const Assignment& row) const {
  const FieldValues& values = row.values;
  if (values.is_empty(Field::mbx_address)) return Word::none;
  const std::uint64_t profile = profile_of(values);
  const Word kind = values.word(Field::mbx_kind);
  const auto [first, last] =
      std::equal_range(mailboxes_.begin(), mailboxes_.end(), address_of(values), ByAddress{});
  if (last - first < 2) return Word::none;
  // A mailbox on two profiles cannot work whoever owns the records; one address of a user and a queue can.
  Word found = Word::none;
  std::int64_t alike = 0;
  for (auto entry = first; entry != last; ++entry) {
    if (profile != 0 && entry->profile != 0 && entry->profile != profile) return Word::two_profiles;
    const bool both_users_or_none = (entry->kind == Word::user) == (kind == Word::user);
    if (both_users_or_none) {
      ++alike;
    } else {
      found = Word::user_and_queue;
    }
  }
  return alike > 1 ? Word::two_users : found;
}

Proposal::Computed Proposal::of(const Assignment& row) const {
  const FieldValues& values = row.values;
  Computed computed;
  computed.mbx_dup = duplicate(row);
  if (const std::uint64_t profile = profile_of(values); profile != 0) {
    const auto [first, last] = std::equal_range(attached_.begin(), attached_.end(), profile, ByProfile{});
    computed.prof_mailbox_count = last - first;
  }
  const bool is_user = values.is(Field::mbx_kind, Word::user);
  const bool by_server = values.is(Field::req_act, Word::sss);
  const bool by_outlook = values.is(Field::req_act, Word::outlook);
  const std::int64_t others_by_server = act_by_server_ - (is_user && by_server ? 1 : 0);
  const std::int64_t others_by_outlook = act_by_outlook_ - (is_user && by_outlook ? 1 : 0);
  // The field holds one method. The one that differs from this row's is the one that matters.
  if (others_by_outlook > 0 && (!by_outlook || others_by_server == 0)) {
    computed.env_org_act_other = Word::outlook;
  } else if (others_by_server > 0) {
    computed.env_org_act_other = Word::sss;
  }
  return computed;
}

std::size_t Proposal::memory_octets() const noexcept {
  return mailboxes_.capacity() * sizeof(Mailbox) + attached_.capacity() * sizeof(Attached);
}

std::vector<Disagreement> fill_from(const Proposal& proposal, FieldValues& given, Day today) {
  const auto computed = proposal.of(with_defaults(given, today));
  std::vector<Disagreement> disagreements;
  const auto settle = [&](Field field, const std::string& value, auto set) {
    if (given.is_empty(field)) {
      set();
    } else if (given.printed(field) != value) {
      disagreements.push_back({field, given.printed(field), value});
    }
  };
  settle(Field::mbx_dup, std::string{to_string(computed.mbx_dup)},
         [&] { given.set(Field::mbx_dup, computed.mbx_dup); });
  if (const auto count = computed.prof_mailbox_count) {
    settle(Field::prof_mailbox_count, fmt::format("{}", *count),
           [&] { given.set_number(Field::prof_mailbox_count, *count); });
  }
  settle(Field::env_org_act_other, std::string{to_string(computed.env_org_act_other)},
         [&] { given.set(Field::env_org_act_other, computed.env_org_act_other); });
  return disagreements;
}

}  // namespace syncline::rules
