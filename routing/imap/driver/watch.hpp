// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Keeps an eye on one folder of a mailbox: looked at when the server says that something is new, and now and
// then anyway. One connection, the driver's own, which is small while nothing happens.
#include <chrono>
#include <cstdint>
#include <functional>

#include "net/environment.hpp"
#include "net/event.hpp"
#include "routing/imap/driver/imap_driver.hpp"

namespace syncline::imap {

struct WatchSettings {
  /// Looked at after so long even if the server has told of nothing (R-28: feeds that lie).
  std::chrono::milliseconds look_anyway{std::chrono::minutes(15)};
  /// Between the beginnings of two looks, however much a server has to tell.
  std::chrono::milliseconds between_looks{500};
  /// After a failure that may pass: doubled from the first to the longest, and spread over half of it, so
  /// that thousands do not come back in one second. A server's own hint counts where it is longer.
  std::chrono::milliseconds first_pause{std::chrono::seconds(1)};
  std::chrono::milliseconds longest_pause{std::chrono::minutes(5)};
};

class Watch {
 public:
  /// Pulls the folder, and whatever else belongs to a run of the mailbox, through the same driver.
  using Look = std::function<Async<void>()>;

  /// `environment` and `driver` must outlive it; nobody else uses the driver while run() does.
  Watch(net::Environment& environment, ImapDriver& driver, sync::RemoteFolder folder, Look look,
        WatchSettings settings = {});
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  /// Looks, waits, looks again, until stop(). Connections that end, servers that are away and refusals that
  /// may pass are waited out. Errors: those that no waiting helps (never, reauthenticate, …), of the driver
  /// or of the look; it may be run again, and finds what was new meanwhile.
  Async<void> run();
  /// From another coroutine of the executor, for good. A look that is under way is brought to its end.
  void stop();

  std::uint64_t looks() const noexcept { return looks_; }
  std::uint64_t failures() const noexcept { return failures_; }

 private:
  Async<void> once();
  Async<void> pause(std::chrono::milliseconds span);
  std::chrono::milliseconds pause_after(const Error& error);

  net::Environment& environment_;
  ImapDriver& driver_;
  sync::RemoteFolder folder_;
  Look look_;
  WatchSettings settings_;
  net::Event stop_asked_;
  std::uint64_t looks_ = 0;
  std::uint64_t failures_ = 0;
  unsigned failures_in_a_row_ = 0;
  bool stopped_ = false;
};

}  // namespace syncline::imap
