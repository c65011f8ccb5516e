"""What tests share: builders of security groups, reports, mails and a deployed audit."""
