import fc from 'fast-check';

// For mutation tests: that a property fails is all they ask, not for the smallest input it fails for.
fc.configureGlobal({ ...fc.readConfigureGlobal(), endOnFailure: true });
