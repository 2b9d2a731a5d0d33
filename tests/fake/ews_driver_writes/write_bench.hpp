// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A mailbox on the test Exchange with the driver before it, and a heart's part of a write: progress that
// outlives a crash, and trying again when the driver says so.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ews/driver/ews_driver.hpp"
#include "net/testing/virtual_world.hpp"
#include "tests/support/memory_progress.hpp"
#include "tools/exchange-sim/testing/simulated_exchange.hpp"

namespace syncline::ews::testing {

inline constexpr const char* anna = "anna@example.com";
inline constexpr const char* bert = "bert@example.com";

inline model::Fields fields(std::string_view text) {
  return boost::json::parse(text).get_object();
}

using syncline::testing::MemoryProgress;

class WriteBench {
 public:
  /// `checks_schema`: requests are validated, which costs time.
  explicit WriteBench(bool checks_schema = true);

  template <class T>
  Result<T> run(Async<T> work) {
    return world.run(std::move(work));
  }
  /// One call of the driver, by a process that starts with this.
  Result<sync::Applied> apply_once(const sync::WriteOrder& order, MemoryProgress& progress);
  /// As the heart does: again when the driver says after, until it is done or refused.
  Result<sync::Applied> apply(const sync::WriteOrder& order, MemoryProgress& progress);
  Result<sync::Applied> apply(const sync::WriteOrder& order);
  /// The item as the driver reads it.
  sync::RemoteItem read(model::RecordKind kind, const std::string& id);
  sync::RemoteRef ref(model::RecordKind kind, const std::string& id) { return read(kind, id).ref; }

  sync::WriteOrder create(model::RecordKind kind, std::string_view json);
  sync::WriteOrder update(model::RecordKind kind, const std::string& id, std::string_view json);
  sync::WriteOrder remove(model::RecordKind kind, const std::string& id);
  sync::WriteOrder send(std::string_view json);
  /// Makes an item by the driver; its id.
  std::string made(const sync::WriteOrder& order);
  Result<sync::RemoteRef> unmark(sync::RemoteRef item, model::RecordKind kind) {
    return run(driver_->unmark(std::move(item), kind));
  }
  /// Something that happens on the server just before it handles the next request of an operation.
  /// `loses_reply`: and the answer to that request is lost.
  void before(const std::string& operation, std::function<void()> happening, bool loses_reply = false);
  /// Content for attachments, found by this name.
  void add_content(const std::string& sha256, std::string octets) { content_[sha256] = std::move(octets); }

  exchange_sim::ExchangeService& service() { return exchange.service(); }
  std::size_t count(const std::string& folder) { return service().list(anna, folder).value().size(); }
  std::string property(const std::string& id, const std::string& field) {
    return service().property(anna, id, field).value();
  }
  /// A meeting of Bert's in Anna's calendar; its id there.
  std::string foreign_meeting();
  /// Mails that left, by what they were for.
  std::map<std::string, int> mails();
  /// All mailboxes, without what differs from run to run: ids, keys, times of the server's own.
  std::map<std::string, std::vector<std::string>> contents();

  std::unique_ptr<EwsClient> client_of(const std::string& address);

  net::testing::VirtualWorld world;
  exchange_sim::testing::SimulatedExchange exchange;

 private:
  std::map<std::string, std::string> content_;
  std::unique_ptr<net::HttpClient> http_;
  std::unique_ptr<EwsClient> client_;
  std::unique_ptr<EwsDriver> driver_;
  void start_process();
  int orders_ = 0;
};

}  // namespace syncline::ews::testing
