// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A service account that many mailboxes use. Every refused password counts towards the account's lock-out:
// until the server has taken it once, one mailbox at a time tries, and after a refusal only one does, after a
// while that doubles up to an hour.
#include <memory>
#include <optional>

#include "base/async.hpp"
#include "base/clock.hpp"
#include "net/event.hpp"

namespace syncline::service {

class SharedAccount : public std::enable_shared_from_this<SharedAccount> {
 public:
  explicit SharedAccount(net::asio::any_io_executor executor) : changed_(std::move(executor)) {}

  /// The right to use the account. Given up when destroyed; without a word before, the next one tries.
  class Turn {
   public:
    Turn(Turn&& other) noexcept = default;
    Turn& operator=(Turn&&) = delete;
    ~Turn() { finish(); }
    void accepted();
    void refused(const Error& error);

   private:
    friend class SharedAccount;
    Turn(std::shared_ptr<SharedAccount> account, const Clock& clock, bool first)
        : account_(std::move(account)), clock_(&clock), first_(first) {}
    void finish();
    std::shared_ptr<SharedAccount> account_;
    const Clock* clock_;
    bool first_;
  };

  /// Waits while another mailbox tries it for the first time. Error: the server's refusal. `clock` must
  /// outlive the turn.
  Async<Turn> take_turn(const Clock& clock);

 private:
  net::Event changed_;
  bool is_tried_ = false;
  bool is_accepted_ = false;
  std::optional<Error> refusal_;
  SteadyTime tried_again_at_{};  ///< after a refusal
  unsigned refusals_in_a_row_ = 0;
};

/// Whether the server refused who asked, not what was asked for.
bool refuses_credentials(const Error& error) noexcept;

}  // namespace syncline::service
