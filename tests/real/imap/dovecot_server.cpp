// SPDX-License-Identifier: GPL-3.0-or-later
#include <fstream>
#include <iterator>

#include "tests/real/imap/imap_server.hpp"
#include "tests/support/mail_lab.hpp"

namespace syncline::imap::testing {
namespace {

using syncline::testing::MailLab;

class Dovecot final : public ImapServer {
 public:
  explicit Dovecot(std::unique_ptr<MailLab> lab) : lab_(std::move(lab)) {}

  Ports ports() const override { return {.starttls = lab_->ports().imap, .implicit = lab_->ports().imaps}; }
  std::string ca_file() const override { return lab_->ca_file(); }
  std::string other_ca_file() const override { return lab_->other_ca_file(); }
  std::vector<Faulty> faulty_certificates() const override {
    // By the name that TLS asks for.
    return {{"wrongname.lab.test", ports(), "not for this host"},
            {"untrusted.lab.test", ports(), "no trusted authority"},
            {"expired.lab.test", ports(), "expired"}};
  }
  std::vector<std::string> password_mechanisms() const override {
    return {"PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"};
  }
  bool offers_plain_without_tls() const override { return true; }
  bool takes_every_name() const override { return true; }
  std::vector<std::string> token_mechanisms() const override { return {"XOAUTH2", "OAUTHBEARER"}; }
  Result<std::string> token(std::string_view user, std::chrono::seconds lifetime) const override {
    return lab_->token(user, lifetime);
  }
  Result<void> deliver(std::string_view user, std::string_view message) override {
    return lab_->deliver(user, message);
  }
  Result<std::vector<std::string>> generate(std::string_view user, unsigned most, unsigned seed,
                                            unsigned most_kb) override {
    if (auto made = lab_->generate(user, most, seed, most_kb); !made) return fail(std::move(made.error()));
    std::vector<std::string> messages;
    for (const auto& file : lab_->files_of(user)) {
      if (file.parent_path().filename() != "cur" || file.parent_path().parent_path().filename() != "Maildir")
        continue;
      std::ifstream in(file, std::ios::binary);
      std::string message;
      for (auto c = std::istreambuf_iterator<char>(in); c != std::istreambuf_iterator<char>(); ++c) {
        if (*c == '\n') message += '\r';
        message += *c;
      }
      messages.push_back(std::move(message));
    }
    return messages;
  }
  Result<void> kick(std::string_view user) override { return lab_->kick(user); }

 private:
  std::unique_ptr<MailLab> lab_;
};

}  // namespace

Result<std::unique_ptr<ImapServer>> start_imap_server() {
  auto lab = MailLab::start({.smtp = false});
  if (!lab) return fail(std::move(lab.error()));
  return std::make_unique<Dovecot>(std::move(*lab));
}

}  // namespace syncline::imap::testing
