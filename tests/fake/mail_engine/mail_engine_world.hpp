// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// An organisation with mailboxes on one mail host, IMAP and SMTP, and the engine that runs and watches them;
// when a mailbox runs is the test's to say.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/testing/virtual_world.hpp"
#include "service/engine/mailbox_engine.hpp"
#include "service/organisation/organisation.hpp"
#include "tests/fake/imap/fake_imap.hpp"
#include "tests/fake/smtp/smtp_peer.hpp"

namespace syncline::service::testing {

class MailEngine : public ::testing::Test {
 public:
  MailEngine();
  ~MailEngine() override;

  static constexpr std::uint16_t imap_port = 993;
  static constexpr std::uint16_t smtp_port = 465;
  void listen();
  /// `count` mailboxes: box0@example.test, …; `more`: lines of their profile.
  void start(int count, const std::string& more = {}, WatchSettings settings = {});
  /// One run of a mailbox, to its end; its error's code, or nothing.
  std::string run(const std::string& address);
  /// The same beside others; `code` is set at its end.
  net::asio::awaitable<void> noted_run(std::string address, std::optional<std::string>& code);
  static std::string box(int number) { return "box" + std::to_string(number) + "@example.test"; }
  bool is_watched(const std::string& address) const { return watched_.contains(address); }
  std::shared_ptr<const EnabledMailbox> enabled(const std::string& address) const;
  /// As a test of the mailbox connects: under the same terms, beside the runs.
  Async<std::unique_ptr<MailboxConnection>> connect_for_test(std::string address);
  imap::testing::FakeFolder& inbox() { return imap_.folders["INBOX"]; }
  /// A message from the mailbox to itself.
  Async<sync::Applied> send(MailboxConnection& connection, std::string operation_id = "op-1");
  static std::string message(int number);

  net::testing::VirtualWorld world_;
  imap::testing::FakeImap imap_;
  smtp::testing::SmtpPeer smtp_;
  std::unique_ptr<MailboxEngine> engine_;
  std::vector<std::string> changed_;                          ///< told by the watch
  std::map<std::string, std::chrono::milliseconds> watched_;  ///< and those that it watches

 private:
  Result<std::unique_ptr<Connections::Network>> network();
  Async<void> one_run(std::string address, std::optional<std::string>& code);
  std::filesystem::path folder_;
  std::unique_ptr<Organisation> organisation_;
  std::vector<std::shared_ptr<const EnabledMailbox>> mailboxes_;
  std::shared_ptr<Connections> of_tests_;
};

}  // namespace syncline::service::testing
