// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// One action of a user makes several events (created, modified, moved). They are folded into one: a folder is
// due 300 ms after its last event, and at most 1 s after its first.
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"

namespace syncline::ews {

/// Folds events by key (mailbox and folder). Pure: the time is told.
class EventFolding {
 public:
  struct Delays {
    std::chrono::milliseconds quiet{300};
    std::chrono::milliseconds longest{1'000};
  };

  explicit EventFolding(Delays delays) : delays_(delays) {}
  EventFolding() : EventFolding(Delays{}) {}

  void add(const std::string& key, SteadyTime now);
  /// When the next key will be due; nullopt while nothing waits.
  std::optional<SteadyTime> next_due() const;
  /// Takes the keys that are due, the longest waiting first.
  std::vector<std::string> take_due(SteadyTime now);

 private:
  struct Waiting {
    SteadyTime first;
    SteadyTime last;
  };
  SteadyTime due(const Waiting& waiting) const {
    return std::min(waiting.last + delays_.quiet, waiting.first + delays_.longest);
  }

  Delays delays_;
  std::map<std::string, Waiting> waiting_;
};

}  // namespace syncline::ews
