// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The daily pass of a daemon: each mailbox on Exchange is looked for once a day, at a moment of its own, a
// few at a time. When each was last looked for is in the store: a restart repeats nothing.
#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "net/environment.hpp"
#include "net/event.hpp"
#include "service/placement/placement_pass.hpp"
#include "store/links.hpp"

namespace syncline::service {

struct PlacementWatchSettings {
  /// Between two looks for a mailbox; zero: nobody is looked for.
  std::chrono::milliseconds every = std::chrono::hours(24);
  /// Those who have not been looked for, or not for long, are spread over so long a time after the start.
  std::chrono::milliseconds first_within = std::chrono::hours(6);
  /// One that is parked is looked for sooner, so that it soon goes on; one that could not be asked, too.
  std::chrono::milliseconds again_after = std::chrono::hours(1);
  /// How often is looked who is due; those are asked `at_once` at a time.
  std::chrono::milliseconds look_pause = std::chrono::minutes(5);
  std::size_t at_once = 2;
  unsigned spread_percent = 10;  ///< of the interval, either way

  /// All in proportion to an interval that is shorter than a day.
  static PlacementWatchSettings of_interval(std::chrono::milliseconds every);
};

class PlacementWatch {
 public:
  /// Looks for these mailboxes: look_for_mailboxes.
  using Look = std::function<Async<std::vector<PlacementResult>>(std::vector<std::string> addresses)>;
  /// Both must outlive it.
  PlacementWatch(net::Environment& environment, Organisation& organisation, PlacementWatchSettings settings,
                 Look look);

  /// Until `stop`. What fails is in the log, and is tried again.
  Async<void> run();
  void stop();

 private:
  struct Plan {
    SystemTime looked_at{};  ///< as it was when `due` was drawn
    bool is_parked = false;
    SystemTime due{};
  };
  Result<std::vector<std::string>> due_now();
  SystemTime next_look(const Plan& plan, SystemTime now);
  std::chrono::milliseconds by_chance(std::chrono::milliseconds most);

  net::Environment& environment_;
  Organisation& organisation_;
  PlacementWatchSettings settings_;
  Look look_;
  net::Event stopped_;
  bool is_stopping_ = false;
  std::map<std::string, Plan, std::less<>> plans_;
};

}  // namespace syncline::service
