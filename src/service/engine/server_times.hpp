// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// How long servers took to answer, of all mailboxes together.
#include "ews/client/answer_times.hpp"

namespace syncline::service {

struct ServerTimes {
  ews::AnswerTimes ews;
  RequestTimes imap;
  RequestTimes pop3;
  RequestTimes smtp;
};

}  // namespace syncline::service
