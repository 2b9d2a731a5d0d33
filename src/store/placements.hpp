// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Where each mailbox was found, whether it is parked (it lives where its profile does not lead), and who asks
// for another look.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "store/links.hpp"

namespace syncline::store {

/// What a look came to.
enum class PlacementState : std::uint8_t {
  not_asked,  ///< not yet; or it was refused: not approved, a secret is missing, not on Exchange
  fits,       ///< it lives where its profile leads
  elsewhere,  ///< it does not
  not_found,  ///< Autodiscover did not lead to it; nothing is concluded
};
/// "not-asked", "fits", …
std::string_view to_string(PlacementState state) noexcept;

/// Somebody wants a look at once.
struct LookRequest {
  SystemTime at{};
  std::string by = {};
  std::string reason = {};
  bool follow = false;  ///< a move: PlacementWishes::follow_moves
  friend bool operator==(const LookRequest&, const LookRequest&) = default;
};

struct Placement {
  MailboxId mailbox = 0;
  std::optional<SystemTime> looked_at = std::nullopt;
  PlacementState state = PlacementState::not_asked;
  std::string text = {};   ///< why, for people
  std::string facts = {};  ///< JSON of the service's; of the last time that it was found
  std::optional<SystemTime> parked_at = std::nullopt;
  std::string parked_why = {};                        ///< for people
  std::optional<LookRequest> request = std::nullopt;  ///< until it is answered
};
/// Adds or replaces.
Result<void> put_placement(Transaction& transaction, const Placement& placement);
Result<std::optional<Placement>> find_placement(Transaction& transaction, MailboxId mailbox);
/// By mailbox.
Result<std::vector<Placement>> list_placements(Transaction& transaction);
/// Those that somebody asks for; who asked first comes first.
Result<std::vector<Placement>> list_requested_placements(Transaction& transaction);

}  // namespace syncline::store
