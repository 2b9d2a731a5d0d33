// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Rows that are one proposal (`--set`): what one row says about a mailbox follows from the others. Addresses
// and profile names are kept as hashes: 40 octets a row, 4 MB for 100,000 rows.
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "routing/rules/assignment.hpp"

namespace syncline::rules {

class Proposal {
 public:
  /// First pass: every row once, completed.
  void add(const Assignment& row);
  /// Between the passes.
  void close();

  /// What the other rows make of three fields of `row`, which is one of those added.
  struct Computed {
    Word mbx_dup = Word::none;
    std::optional<std::int64_t> prof_mailbox_count;  ///< not for a row whose profile has no name
    Word env_org_act_other = Word::none;
  };
  Computed of(const Assignment& row) const;

  std::size_t memory_octets() const noexcept;

 private:
  struct Mailbox {
    std::uint64_t address;
    std::uint64_t profile;  // 0: the row does not name it
    Word kind;
  };
  struct Attached {
    std::uint64_t profile;
    std::uint64_t address;
    auto operator<=>(const Attached&) const = default;
  };
  Word duplicate(const Assignment& row) const;

  std::vector<Mailbox> mailboxes_;  // sorted by address
  std::vector<Attached> attached_;  // sorted, each pair once
  std::uint64_t without_address_ = 0;
  std::int64_t act_by_server_ = 0;
  std::int64_t act_by_outlook_ = 0;
};

/// A field that a row states otherwise than its proposal computes; the stated value decides.
struct Disagreement {
  Field field;
  std::string stated;
  std::string computed;
};

/// Second pass: fills in the three fields where `given` does not state them.
std::vector<Disagreement> fill_from(const Proposal& proposal, FieldValues& given, Day today);

}  // namespace syncline::rules
