// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What people said of alerts, and alerts on their way to people.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "store/store.hpp"

namespace syncline::store {

struct AlertNote {
  SystemTime at{};  ///< set by acknowledge
  std::string by = {};
  std::string note = {};
};
/// False: there is no such alert, or it was acknowledged already.
Result<bool> acknowledge_alert(Transaction& transaction, std::int64_t alert, std::string_view by,
                               std::string_view note);
/// By alert.
Result<std::map<std::int64_t, AlertNote>> list_alert_notes(Transaction& transaction);

enum class AlertMessageState : std::uint8_t {
  waiting,
  sent,     ///< mail: handed over to the mailbox that sends it
  failed,   ///< given up
  covered,  ///< another alert says it for many
  dropped,  ///< settled or acknowledged before it was sent
};

struct AlertMessage {
  std::int64_t id = 0;       ///< set by insert
  std::int64_t alert = 0;    ///< what it tells
  std::string channel = {};  ///< "mail", "webhook"
  std::string target = {};   ///< an address, a URL
  AlertMessageState state = AlertMessageState::waiting;
  int attempts = 0;
  SystemTime created_at{};
  std::optional<SystemTime> due_at = std::nullopt;
  std::string operation = {};  ///< of mail that was handed over
  std::string error = {};      ///< the last one
};
Result<std::int64_t> insert_alert_message(Transaction& transaction, const AlertMessage& message);
/// All of it but what it tells and to whom.
Result<void> update_alert_message(Transaction& transaction, const AlertMessage& message);
Result<std::vector<AlertMessage>> messages_of_alert(Transaction& transaction, std::int64_t alert);
/// Those due by now, the oldest first.
Result<std::vector<AlertMessage>> due_alert_messages(Transaction& transaction, int most);

}  // namespace syncline::store
