// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A real IMAP server as the tests see it: the same tests are linked with one server or another.
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace syncline::imap::testing {

/// Users alice, bob, carol and dave at lab.test; MailLab::password() is everybody's.
class ImapServer {
 public:
  virtual ~ImapServer() = default;

  /// "localhost" and MailLab::names() resolve to it.
  struct Ports {
    std::uint16_t starttls = 0;
    std::uint16_t implicit = 0;
  };
  virtual Ports ports() const = 0;
  virtual std::string ca_file() const = 0;
  virtual std::string other_ca_file() const = 0;
  /// Where a certificate has a fault, and what our error says of it.
  struct Faulty {
    std::string host;
    Ports ports;
    std::string why;
  };
  virtual std::vector<Faulty> faulty_certificates() const = 0;

  /// What both sides know, over TLS.
  virtual std::vector<std::string> password_mechanisms() const = 0;
  virtual bool offers_plain_without_tls() const = 0;
  /// Folders with quotes and backslashes in their names.
  virtual bool takes_every_name() const = 0;
  virtual std::vector<std::string> token_mechanisms() const = 0;
  virtual Result<std::string> token(std::string_view user, std::chrono::seconds lifetime) const = 0;

  /// A delivery behind our back.
  virtual Result<void> deliver(std::string_view user, std::string_view message) = 0;
  /// Fills an inbox with generated mail: the messages, with CRLF. As many as the server takes in a second or
  /// two, at most `most`.
  virtual Result<std::vector<std::string>> generate(std::string_view user, unsigned most, unsigned seed,
                                                    unsigned most_kb) = 0;
  /// Ends the user's connections.
  virtual Result<void> kick(std::string_view user) = 0;
};

/// Error local "missing": it is not installed.
Result<std::unique_ptr<ImapServer>> start_imap_server();

}  // namespace syncline::imap::testing
