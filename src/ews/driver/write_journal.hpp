// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// How far a write has come, as it stands in sync::Progress: the step that was begun last, whether its request
// may have reached the server, and what later steps need to know.
#include <boost/json/object.hpp>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "sync/driver.hpp"

namespace syncline::ews {

class WriteJournal {
 public:
  explicit WriteJournal(sync::Progress& progress) : progress_(progress) {}

  /// What an earlier attempt saved. Error local "bad-progress" (never): it is not ours.
  Result<void> load();

  /// The request of this step may have reached the server and its answer is not known.
  bool is_open(std::string_view step) const { return open_ && step_ == step; }
  /// Durable: from here on the step's request may be sent.
  Result<void> begin(std::string_view step);
  /// Durable: it is certain that the request did nothing; the step may be begun again at once.
  Result<void> take_back();
  /// The step was settled or answered; made durable by the next begin().
  void close() noexcept { open_ = false; }

  /// Facts for later steps: "id", "key", …. "" where there is none. Durable with the next begin().
  std::string fact(std::string_view name) const;
  void set_fact(std::string_view name, std::string_view value);

  SystemTime settled_after() const { return progress_.settled_after(); }

 private:
  Result<void> save();

  sync::Progress& progress_;
  std::string step_;
  bool open_ = false;
  boost::json::object facts_;
};

}  // namespace syncline::ews
