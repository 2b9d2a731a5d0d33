// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// How far the sending of one message has come, as it stands in sync::Progress.
#include <optional>
#include <string>
#include <vector>

#include "sync/driver.hpp"

namespace syncline::smtp {

/// What became of one recipient.
struct RecipientNote {
  enum class State : std::uint8_t { waiting, accepted, refused };
  std::string address = {};
  State state = State::waiting;
  std::string said = {};  ///< waiting, refused: what the server said last
  /// In the transaction whose last answer is awaited, the one to this recipient came, and was good.
  bool heard = false;
  bool unconfirmed = false;  ///< accepted, as far as the Sent folder can tell: the answer never came
};

class SendJournal {
 public:
  enum class Step : std::uint8_t {
    ready,  ///< nothing is under way
    open,   ///< the server may have taken the message over, and its answer is not known
    sent,   ///< it did; what is left is the copy in the Sent folder
  };

  explicit SendJournal(sync::Progress& progress) : progress_(progress) {}
  /// Error local "bad-progress" (never): what was saved is not ours. False: nothing was saved.
  Result<bool> load();
  Result<void> save();

  Step step = Step::ready;
  std::string message_id = {};
  SystemTime date{};
  SystemTime begun{};                    ///< open: when
  std::vector<std::string> trying = {};  ///< open: for whom
  std::vector<RecipientNote> recipients = {};
  unsigned tries = 0;       ///< transactions after which somebody still waits
  unsigned copy_tries = 0;  ///< of putting the copy into the Sent folder

  std::vector<std::string> waiting() const;
  bool any_accepted() const;
  RecipientNote* find(std::string_view address);
  SystemTime settled_after() const { return progress_.settled_after(); }

 private:
  sync::Progress& progress_;
};

}  // namespace syncline::smtp
