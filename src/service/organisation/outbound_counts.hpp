// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// How many records filters send into mailboxes, counted before they are switched on.
#include <cstdint>
#include <string>
#include <vector>

#include "model/record.hpp"
#include "service/organisation/configuration.hpp"
#include "store/store.hpp"

namespace syncline::service {

/// Of a mailbox and a kind whose filters (`send_…`) change.
struct OutboundCount {
  std::string mailbox;
  model::RecordKind kind{};
  std::uint64_t before = 0;
  std::uint64_t after = 0;
  friend bool operator==(const OutboundCount&, const OutboundCount&) = default;
};

/// Whether the filters of a mailbox are others in `to`; one that is new has none in `from`.
bool filters_change(const Configuration& from, const Configuration& to);

/// For each mailbox of `to` whose filters change, by address and kind; all records of such a kind are read
/// once, whatever the number of mailboxes. Errors: of the store, of OutboundRules::make.
Result<std::vector<OutboundCount>> count_outbound(store::Transaction& transaction, const Configuration& from,
                                                  const Configuration& to);

}  // namespace syncline::service
