// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A test Exchange with a clock of its own; every reply is checked against the protocol's schema where it is
// at hand.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "tools/exchange-sim/exchange/exchange_service.hpp"
#include "tools/exchange-sim/exchange/xml.hpp"

namespace exchange_sim::test {

class FakeClock final : public syncline::Clock {
 public:
  syncline::SystemTime now() const override { return time; }
  syncline::SteadyTime steady_now() const override { return syncline::SteadyTime(time.time_since_epoch()); }
  /// 2026-03-02T09:00:00Z, a Monday.
  syncline::SystemTime time{std::chrono::milliseconds(1772442000000)};
};

/// True if the schema is at hand; says once that checks are skipped if not.
bool schema_at_hand();
/// Empty, or the first complaint.
std::string schema_complaint(const std::string& envelope);

class ExchangeTest : public ::testing::Test {
 protected:
  ExchangeTest();

  /// The reply's Body child; a fault is given as its element. `operation` is the Body child in prefix m,
  /// without namespace declarations. Times without zone are in `zone` if given.
  Element ask(std::string_view operation, std::string_view mailbox = "anna@example.com",
              std::string_view zone = {});
  /// The first response message.
  Element first(std::string_view operation, std::string_view mailbox = "anna@example.com",
                std::string_view zone = {});

  std::string create(std::string_view item_xml,
                     std::string_view attributes = "MessageDisposition=\"SaveOnly\"",
                     std::string_view folder = {});
  /// The item with all properties.
  Element get(const std::string& id, std::string_view mailbox = "anna@example.com",
              std::string_view extra = {});
  std::string update(const std::string& id, const std::string& key, std::string_view updates,
                     std::string_view attributes =
                         "ConflictResolution=\"NeverOverwrite\" MessageDisposition=\"SaveOnly\" "
                         "SendMeetingInvitationsOrCancellations=\"SendToNone\"");

  struct Change {
    std::string what;
    std::string id;
    std::string is_read;
  };
  struct SyncPage {
    std::string state;
    bool last = false;
    std::vector<Change> changes;
    std::string code;
  };
  SyncPage sync(std::string_view folder, const std::string& state, std::size_t most = 512,
                std::string_view mailbox = "anna@example.com");

  FakeClock clock_;
  syncline::SeededRandom random_{7};
  Limits limits_;
  ExchangeService service_;
};

/// Text of a path of element names below `element`: "Items/Message/Subject"; empty if it is not there.
std::string text_at(const Element& element, std::string_view path);
const Element* at(const Element& element, std::string_view path);
std::string id_in(const Element& element);
std::string key_in(const Element& element);
inline std::string code_of(const Element& message) {
  return std::string(message.child_text("ResponseCode"));
}

}  // namespace exchange_sim::test
